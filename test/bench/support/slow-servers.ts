/** Servers whose delays and failures a test decides: what the load generator reports must show them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net';
import { Packr, unpack } from 'msgpackr';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const packr = new Packr({ useRecords: false });

export interface Asked {
	id: number;
	deadlineMs: number | null;
	body: { place: number };
	/** Sends an answer frame; an error when `code` is not 0. */
	answer(code?: number, body?: unknown, last?: boolean): void;
	socket: WebSocket;
}

/** Where it listens: an address of the generator. */
const addressOf = (server: Server): string => {
	const address = server.address() as AddressInfo | string;
	return typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${address.port}`;
};

async function listen(server: Server, path?: string): Promise<string> {
	const open = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		open.add(socket.once('close', () => open.delete(socket)));
	});
	onTestFinished(() => {
		for (const socket of open) socket.destroy();
		server.close();
	});
	if (path === undefined) server.listen(0, '127.0.0.1');
	else server.listen(path);
	await once(server, 'listening');
	return addressOf(server);
}

export const answerFrame = (id: number, code: number, body: unknown, last = true): Buffer => packr.pack([1, id, code, 0, last, body]);

type Frame = [version: number, operation: number, id: number, target: string, deadlineMs: number | null, null, null, { place: number }];

/** An rpc server: `handle` is called for every request frame. */
export async function rpcServer(handle: (asked: Asked) => void, path?: string): Promise<string> {
	const http = createServer();
	const sockets = new WebSocketServer({ server: http, path: '/rpc', perMessageDeflate: false });
	sockets.on('connection', (socket) => {
		socket.on('message', (bytes: Buffer) => {
			const [, , id, , deadlineMs, , , body] = unpack(bytes) as Frame;
			handle({
				id,
				deadlineMs,
				body,
				socket,
				answer: (code = 0, text = {}, last = true) => socket.send(answerFrame(id, code, text, last)),
			});
		});
	});
	return listen(http, path);
}

export const httpServer = (handle: (request: IncomingMessage, response: ServerResponse) => void, path?: string): Promise<string> =>
	listen(
		createServer((request, response) => {
			request.resume().once('end', () => handle(request, response));
		}),
		path,
	);

/** Bytes by hand: `handle` gets every new socket. */
export const rawServer = (handle: (socket: Socket) => void): Promise<string> =>
	listen(
		createSocketServer((socket) => {
			socket.on('error', () => {});
			handle(socket);
		}),
	);

/** Stops this process, and so its servers, for `stallMs` every `everyMs`, as a pause of a garbage collector would. */
export function stallEvery(everyMs: number, stallMs: number): void {
	const never = new Int32Array(new SharedArrayBuffer(4));
	const timer = setInterval(() => Atomics.wait(never, 0, 0, stallMs), everyMs);
	onTestFinished(() => clearInterval(timer));
}
