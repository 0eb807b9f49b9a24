/** What an HTTP call says beside its body: the pipeline in its path, deadline, id and codec in its headers. */
import type { HttpRequest } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import { Codec } from '../native/addon.js';

const MAX_DEADLINE_MS = 3_600_000;
const MAX_REQUEST_ID_BYTES = 128;

/** Anything that does not say msgpack is JSON, `curl -d` (application/x-www-form-urlencoded) included. */
export function codecOf(request: HttpRequest): Codec {
	return /msgpack/i.test(request.getHeader('content-type')) ? Codec.msgpack : Codec.json;
}

/** @throws EngineError `INVALID_ARGUMENT` when the path's segment is no percent-encoded text */
export function targetOf(request: HttpRequest, parameter: string): string {
	const segment = request.getParameter(0);
	try {
		return segment.includes('%') ? decodeURIComponent(segment) : segment;
	} catch {
		throw new EngineError('INVALID_ARGUMENT', `the path's {${parameter}} is not percent-encoded UTF-8: ${JSON.stringify(segment)}`);
	}
}

/** @throws EngineError `INVALID_ARGUMENT` when X-Deadline-Ms is no whole number in range */
export function deadlineOf(request: HttpRequest): number | undefined {
	const header = request.getHeader('x-deadline-ms');
	if (header === '') return undefined;
	const deadlineMs = /^\d{1,7}$/.test(header) ? Number(header) : 0;
	if (deadlineMs >= 1 && deadlineMs <= MAX_DEADLINE_MS) return deadlineMs;
	throw new EngineError(
		'INVALID_ARGUMENT',
		`X-Deadline-Ms must be a whole number from 1 to ${MAX_DEADLINE_MS}, got ${JSON.stringify(header)}`,
	);
}

/**
 * A deadline starts with the call's first byte, not with its body's last.
 * @param startedAt on the clock of `performance.now()`
 * @throws EngineError `DEADLINE_EXCEEDED`
 */
export function timeLeft(deadlineMs: number | undefined, startedAt: number): number | undefined {
	if (deadlineMs === undefined) return undefined;
	const left = Math.ceil(deadlineMs - (performance.now() - startedAt));
	if (left > 0) return left;
	throw new EngineError('DEADLINE_EXCEEDED', `the body took longer to arrive than the deadline of ${deadlineMs} ms`);
}

/** @throws EngineError `INVALID_ARGUMENT` when X-Request-Id is too long or not printable */
export function requestIdOf(request: HttpRequest): string | undefined {
	const header = request.getHeader('x-request-id');
	if (header === '') return undefined;
	if (header.length <= MAX_REQUEST_ID_BYTES && /^[\x20-\x7e]+$/.test(header)) return header;
	throw new EngineError(
		'INVALID_ARGUMENT',
		`X-Request-Id must be 1 to ${MAX_REQUEST_ID_BYTES} printable ASCII characters, got ${header.length}`,
	);
}

/** Judged by the engine, which ignores what is none: trace context never fails a request. */
export const traceparentOf = (request: HttpRequest): string | undefined => request.getHeader('traceparent') || undefined;

/** The declared length, or 0 for a chunked body. */
export const lengthOf = (request: HttpRequest): number => Number(request.getHeader('content-length')) || 0;
