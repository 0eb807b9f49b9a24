/** A WebSocket server that does to each request what a test tells it: answers in parts, refusals, sudden ends, silence. */
import { once } from 'node:events';
import { pack, unpack } from 'msgpackr';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { catalogue, type ErrorCode } from '../../src/errors.js';
import type { Operation } from '../../src/native/addon.js';

export interface ScriptedRequest {
	id: number;
	operation: Operation;
	deadlineMs: number | null;
	body: Record<string, unknown>;
	/** The connection it came on, counted from 0. */
	connection: number;
	socket: WebSocket;
	answer(body?: object, part?: { seq: number; last: boolean }): void;
	refuse(code: ErrorCode, options?: { retryAfterMs?: number; seq?: number }): void;
}

export interface ScriptedServer {
	url: string;
	port: number;
	/** In the order they came. */
	requests: ScriptedRequest[];
	/** Cuts every connection and listens no more, as a process that dies does. */
	die(): Promise<void>;
}

export interface ScriptOptions {
	port?: number;
	/** Answers pings, as a peer does whose machine is up. Default true. */
	autoPong?: boolean;
}

const timing = { queue: 1, compute: 2, total: 3 };
const answerOf = (id: number) => ({ request_id: id, model: 'tiny', version: '1.0.0', degraded: [], items: [], timing });

/** Gone when the test is over. */
export async function scriptedServer(
	onRequest: (request: ScriptedRequest) => void = (request) => request.answer(),
	{ port = 0, autoPong = true }: ScriptOptions = {},
): Promise<ScriptedServer> {
	const server = new WebSocketServer({ port, host: '127.0.0.1', autoPong });
	await once(server, 'listening');
	const requests: ScriptedRequest[] = [];
	let connections = 0;
	server.on('connection', (socket) => {
		const connection = connections++;
		socket.on('message', (frame: Buffer) => {
			const request = toRequest(frame, socket, connection);
			requests.push(request);
			onRequest(request);
		});
	});
	const die = async () => {
		for (const socket of server.clients) socket.terminate();
		await new Promise((resolve) => server.close(resolve));
	};
	onTestFinished(die);
	const bound = server.address() as { port: number };
	return { url: `ws://127.0.0.1:${bound.port}/rpc`, port: bound.port, requests, die };
}

function toRequest(frame: Buffer, socket: WebSocket, connection: number): ScriptedRequest {
	const [, operation, id, , deadlineMs, , , body] = unpack(frame) as [1, Operation, number, string, number | null, null, null, object];
	const send = (number: number, seq: number, last: boolean, content: object) => socket.send(pack([1, id, number, seq, last, content]));
	return {
		id,
		operation,
		deadlineMs,
		body: body as Record<string, unknown>,
		connection,
		socket,
		answer: (content = {}, { seq, last } = { seq: 0, last: true }) => send(0, seq, last, { ...answerOf(id), ...content }),
		refuse: (code, { retryAfterMs, seq = 0 } = {}) =>
			send(catalogue[code].number, seq, true, { error: `refused: ${code}`, code, request_id: id, retry_after_ms: retryAfterMs }),
	};
}
