/** One WebSocket that carries many requests at once; it connects when it is needed and again when it was lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { EngineError } from '../errors.js';
import { backoffMs } from './backoff.js';
import { type AnswerFrame, decodeAnswer } from './codec.js';

export interface PendingAnswer {
	resolve(body: AnswerFrame['body']): void;
	reject(error: EngineError): void;
}

/** A request and the socket it was written to; none while it waits for one. */
interface InFlight {
	readonly answer: PendingAnswer;
	socket: WebSocket | undefined;
}

/** How long a server may take to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1000;

export interface ConnectionOptions {
	connectTimeoutMs: number;
}

export class Connection {
	readonly #url: string;
	readonly #options: ConnectionOptions;
	readonly #pending = new Map<number, InFlight>();
	readonly #closing = new AbortController();
	#socket: WebSocket | undefined;
	#connecting: Promise<WebSocket> | undefined;
	#failures = 0;

	constructor(url: string, options: ConnectionOptions) {
		this.#url = url;
		this.#options = options;
	}

	/** Requests without an answer: the pool gives the next one to the connection with the fewest. */
	get load(): number {
		return this.#pending.size;
	}

	/** Registers a request; the frame leaves as soon as the connection stands. */
	send(id: number, frame: Uint8Array, answer: PendingAnswer): void {
		this.#pending.set(id, { answer, socket: undefined });
		if (this.#socket?.readyState === WebSocket.OPEN) return this.#write(this.#socket, id, frame);
		this.#connected().then(
			(socket) => this.#write(socket, id, frame),
			(error) => this.#settle(id)?.reject(error),
		);
	}

	/** The caller does not wait any more; an answer that still comes is dropped. */
	forget(id: number): void {
		this.#pending.delete(id);
	}

	/** Ends the connection; requests in flight fail with `CONNECTION_LOST`. May be called twice. */
	async close(): Promise<void> {
		this.#closing.abort();
		const socket = this.#socket;
		if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
		this.#failAll(socket, lost('the client has been closed'));
		const closed = new Promise((resolve) => socket.once('close', resolve));
		const timeout = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
		socket.close(1000);
		await closed;
		clearTimeout(timeout);
	}

	#connected(): Promise<WebSocket> {
		this.#connecting ??= this.#connect().finally(() => {
			this.#connecting = undefined;
		});
		return this.#connecting;
	}

	async #connect(): Promise<WebSocket> {
		const { signal } = this.#closing;
		await delay(backoffMs(this.#failures), undefined, { signal }).catch(() => {});
		if (signal.aborted) throw lost('the client has been closed');
		const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: this.#options.connectTimeoutMs });
		socket.binaryType = 'nodebuffer';
		this.#socket = socket;
		this.#failures++;
		await this.#opened(socket);
		this.#failures = 0;
		socket.on('message', (frame: Buffer) => this.#receive(socket, frame));
		socket.once('close', (code, reason) => {
			const why = `closed with ${code}${reason.length > 0 ? ` (${reason})` : ''}`;
			this.#failAll(socket, lost(`the connection to ${this.#url} was ${why} while this request was in flight`));
		});
		return socket;
	}

	/** The error handler stays: once open, an error is told by the close that follows it. */
	#opened(socket: WebSocket): Promise<void> {
		return new Promise((resolve, reject) => {
			socket.once('open', resolve);
			socket.on('error', (cause: NodeJS.ErrnoException) => {
				reject(lost(`cannot connect to ${this.#url}: ${cause.message || cause.code}`, cause));
			});
		});
	}

	#write(socket: WebSocket, id: number, frame: Uint8Array): void {
		const request = this.#pending.get(id);
		if (request === undefined) return;
		request.socket = socket;
		socket.send(frame, { binary: true });
	}

	#receive(socket: WebSocket, frame: Buffer): void {
		let answer: AnswerFrame;
		try {
			answer = decodeAnswer(frame);
		} catch (cause) {
			const message = `this is a bug: the server sent no answer frame (${(cause as Error).message})`;
			return this.#giveUp(socket, new EngineError('INTERNAL', message, { cause }));
		}
		// Somebody's request failed, and the server could not say whose: none of them can be waited for.
		if (answer.id === null) return this.#giveUp(socket, answer.error ?? lost('the server sent an answer without an id'));
		const request = this.#settle(answer.id);
		if (answer.error) request?.reject(answer.error);
		else request?.resolve(answer.body);
	}

	#settle(id: number): PendingAnswer | undefined {
		const request = this.#pending.get(id);
		this.#pending.delete(id);
		return request?.answer;
	}

	#giveUp(socket: WebSocket, error: EngineError): void {
		this.#failAll(socket, error);
		socket.terminate();
	}

	/** While one socket closes, requests may already wait for the next: only its own are lost. */
	#failAll(socket: WebSocket, error: EngineError): void {
		for (const [id, request] of this.#pending) {
			if (request.socket === socket) this.#settle(id)?.reject(error);
		}
	}
}

const lost = (message: string, cause?: unknown): EngineError => new EngineError('CONNECTION_LOST', message, { cause });
