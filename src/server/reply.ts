/** The one place that writes HTTP responses: status line, headers and body in one cork. */
import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from 'uWebSockets.js';
import { pack } from 'msgpackr';
import { type EngineError, errorBody } from '../errors.js';
import { Codec } from '../native/addon.js';

export interface Reply {
	status: number;
	contentType: string;
	body: string | Uint8Array;
	headers?: readonly (readonly [name: string, value: string])[];
	/** Tells the client to send its next request elsewhere. */
	close?: boolean;
	/** HEAD: everything but the body. */
	withoutBody?: boolean;
}

export const contentTypes = {
	[Codec.json]: 'application/json',
	[Codec.msgpack]: 'application/msgpack',
	[Codec.oip]: 'application/json',
} as const;

export function send(response: HttpResponse, { status, contentType, body, headers = [], close = false, withoutBody = false }: Reply): void {
	response.cork(() => {
		writeHead(response, status, contentType);
		for (const [name, value] of headers) response.writeHeader(name, value);
		// endWithoutBody(length) would wait for a body of that length to follow.
		if (withoutBody) response.writeHeader('Content-Length', String(Buffer.byteLength(body))).endWithoutBody();
		else response.end(body, close);
	});
}

/** Status line and type; inside a cork. */
export function writeHead(response: HttpResponse, status: number, contentType: string): void {
	response.writeStatus(statusLine(status)).writeHeader('Content-Type', contentType);
}

export function sendJson(response: HttpResponse, status: number, value: unknown, rest: Partial<Reply> = {}): void {
	send(response, { status, contentType: contentTypes[Codec.json], body: `${JSON.stringify(value)}\n`, ...rest });
}

/** An error found before the engine was asked, in the codec the caller writes. */
export function sendError(response: HttpResponse, error: EngineError, codec: Codec, requestId?: string, rest: Partial<Reply> = {}): void {
	const value = errorBody(error, requestId ?? null);
	const headers = [...(rest.headers ?? []), ...retryHeader(error.retryAfterMs ?? 0)];
	const body = codec === Codec.msgpack ? pack(value) : `${JSON.stringify(value)}\n`;
	send(response, { status: error.status, contentType: contentTypes[codec], body, ...rest, headers });
}

function retryHeader(retryAfterMs: number): (readonly [string, string])[] {
	return retryAfterMs > 0 ? [['Retry-After', retrySeconds(retryAfterMs)]] : [];
}

/** Retry-After knows whole seconds only. */
export const retrySeconds = (retryAfterMs: number): string => String(Math.ceil(retryAfterMs / 1000));

/** Where an answer's time went, in the form that browsers and proxies read: milliseconds, to the microsecond. */
export const serverTiming = (queueMs: number, computeMs: number, totalMs: number): string =>
	`queue;dur=${round(queueMs)}, compute;dur=${round(computeMs)}, total;dur=${round(totalMs)}`;

const round = (ms: number): number => Math.round(ms * 1e3) / 1e3;

const statusLines = new Map<number, string>();

/** `404 Not Found`; made once per status. */
function statusLine(status: number): string {
	const known = statusLines.get(status) ?? `${status} ${STATUS_CODES[status] ?? 'Client Closed Request'}`;
	statusLines.set(status, known);
	return known;
}
