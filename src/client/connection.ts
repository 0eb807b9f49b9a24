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

export interface ConnectionOptions {
	connectTimeoutMs: number;
}

export class Connection {
	readonly #url: string;
	readonly #options: ConnectionOptions;
	readonly #pending = new Map<number, PendingAnswer>();
	#socket: WebSocket | undefined;
	#connecting: Promise<WebSocket> | undefined;
	#failures = 0;
	readonly #closing = new AbortController();

	constructor(url: string, options: ConnectionOptions) {
		this.#url = url;
		this.#options = options;
	}

	/** Requests without an answer: the pool gives the next one to the connection with the fewest. */
	get load(): number {
		return this.#pending.size;
	}

	/** Registers a request; the frame leaves as soon as the connection stands. */
	send(id: number, frame: Uint8Array, pending: PendingAnswer): void {
		this.#pending.set(id, pending);
		if (this.#socket?.readyState === WebSocket.OPEN) return this.#write(this.#socket, frame);
		this.#connected().then(
			(socket) => this.#pending.has(id) && this.#write(socket, frame),
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
		const closed = new Promise((resolve) => socket.once('close', resolve));
		socket.close(1000);
		await closed;
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
		socket.once('close', (code, reason) => this.#lose(socket, `closed with ${code}${reason.length > 0 ? ` (${reason})` : ''}`));
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

	#write(socket: WebSocket, frame: Uint8Array): void {
		socket.send(frame, { binary: true });
	}

	#receive(socket: WebSocket, frame: Buffer): void {
		let answer: AnswerFrame;
		try {
			answer = decodeAnswer(frame);
		} catch (cause) {
			this.#failAll(new EngineError('INTERNAL', `this is a bug: the server sent no answer frame (${(cause as Error).message})`, { cause }));
			return socket.terminate();
		}
		if (answer.id === null) {
			// Somebody's request failed, and the server could not say whose: none of them can be waited for.
			this.#failAll(answer.error ?? lost('the server sent an answer without an id'));
			return socket.terminate();
		}
		const pending = this.#settle(answer.id);
		if (answer.error) pending?.reject(answer.error);
		else pending?.resolve(answer.body);
	}

	#settle(id: number): PendingAnswer | undefined {
		const pending = this.#pending.get(id);
		this.#pending.delete(id);
		return pending;
	}

	#lose(socket: WebSocket, why: string): void {
		if (this.#socket !== socket) return;
		this.#socket = undefined;
		this.#failAll(lost(`the connection to ${this.#url} was ${why} while this request was in flight`));
	}

	#failAll(error: EngineError): void {
		const pending = [...this.#pending.values()];
		this.#pending.clear();
		for (const { reject } of pending) reject(error);
	}
}

const lost = (message: string, cause?: unknown): EngineError => new EngineError('CONNECTION_LOST', message, { cause });
