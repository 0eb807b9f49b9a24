/** One WebSocket from its birth to its end: requests leave on it, and the frames of their answers find them by id. */
import { WebSocket } from 'ws';
import { EngineError } from '../errors.js';
import { type AnswerFrame, decodeAnswer } from './codec.js';
import { SilenceWatch } from './silence-watch.js';

/** A request, and whoever waits for its answer. */
export interface Exchange {
	/** Differs among all that are in flight; later ones are higher. */
	readonly id: number;
	/** Its bytes, made when they leave. */
	frame(): Uint8Array;
	/** One frame of the answer, no error. */
	receive(answer: AnswerFrame): void;
	/** No frame comes any more. */
	fail(error: EngineError): void;
}

/** What a socket tells its connection, before the requests concerned hear of it. */
export interface SocketEvents {
	opened(): void;
	/** The peer answered a request with an error. */
	refused(error: EngineError): void;
	/** It was silent, and speaks again. */
	heard(): void;
	/** Once, and whether it ever stood or not. */
	closed(error: EngineError): void;
}

/** How long a server may take to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1000;

export class RpcSocket {
	readonly #url: string;
	readonly #socket: WebSocket;
	readonly #events: SocketEvents;
	readonly #watch: SilenceWatch;
	readonly #pending = new Map<number, Exchange>();
	#hasStood = false;
	#hasAnswered = false;
	#isRetired = false;
	/** Why it ends, when the peer does not say. */
	#error: NodeJS.ErrnoException | undefined;

	/** @param timeoutMs how long it may take to stand, and later to show a sign of life */
	constructor(url: string, timeoutMs: number, events: SocketEvents) {
		this.#url = url;
		this.#events = events;
		this.#socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: timeoutMs });
		this.#socket.binaryType = 'nodebuffer';
		this.#watch = new SilenceWatch(this.#socket, timeoutMs, () => events.heard());
		this.#listen();
	}

	/** Requests without an answer. */
	get load(): number {
		return this.#pending.size;
	}

	get takesRequests(): boolean {
		return this.#socket.readyState === WebSocket.OPEN && !this.#isRetired && !this.#watch.isSilent;
	}

	get hasStood(): boolean {
		return this.#hasStood;
	}

	get hasAnswered(): boolean {
		return this.#hasAnswered;
	}

	/** Only while it takes requests. */
	send(exchange: Exchange): void {
		this.#pending.set(exchange.id, exchange);
		this.#watch.sent(exchange.id);
		this.#socket.send(exchange.frame(), { binary: true });
	}

	/** The caller does not wait any more; what still comes is dropped. */
	forget(id: number): void {
		this.#pending.delete(id);
		this.#closeIfDone();
	}

	/** The request's deadline passed without its answer. */
	expired(id: number): void {
		if (this.#pending.has(id)) this.#watch.expired(id);
		this.forget(id);
	}

	/** Takes no more requests, and closes when those in flight are answered. */
	retire(): void {
		this.#isRetired = true;
		this.#closeIfDone();
	}

	/** May be called twice, and while it connects. */
	async close(): Promise<void> {
		if (this.#socket.readyState === WebSocket.CLOSED) return;
		const closed = new Promise((resolve) => this.#socket.once('close', resolve));
		const timeout = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
		this.#socket.close(1000);
		await closed;
		clearTimeout(timeout);
	}

	#listen(): void {
		this.#socket.once('open', () => {
			this.#hasStood = true;
			this.#events.opened();
		});
		this.#socket.on('message', (frame: Buffer) => this.#receive(frame));
		// Every error is followed by a close, which tells it.
		this.#socket.on('error', (error) => {
			this.#error ??= error;
		});
		this.#socket.once('close', (code, reason) => this.#ended(code, reason));
	}

	#receive(frame: Buffer): void {
		let answer: AnswerFrame;
		try {
			answer = decodeAnswer(frame);
		} catch (cause) {
			const message = `this is a bug: the server sent no answer frame (${(cause as Error).message})`;
			return this.#giveUp(new EngineError('INTERNAL', message, { cause }));
		}
		// Somebody's request failed, and the server could not say whose: none of them can be waited for.
		if (answer.id === null) return this.#giveUp(answer.error ?? lost('the server sent an answer without an id'));
		this.#hand(answer.id, answer);
	}

	#hand(id: number, answer: AnswerFrame): void {
		this.#hasAnswered = true;
		const exchange = this.#pending.get(id);
		if (answer.isLast) this.#pending.delete(id);
		if (answer.error === undefined) exchange?.receive(answer);
		else {
			this.#events.refused(answer.error);
			exchange?.fail(answer.error);
		}
		this.#closeIfDone();
	}

	#closeIfDone(): void {
		if (this.#isRetired && this.#pending.size === 0) this.#socket.close(1000);
	}

	#giveUp(error: EngineError): void {
		this.#error = error;
		this.#socket.terminate();
	}

	#ended(code: number, reason: Buffer): void {
		const error = this.#error instanceof EngineError ? this.#error : this.#lost(code, reason);
		this.#watch.stop();
		this.#events.closed(error);
		for (const exchange of this.#pending.values()) exchange.fail(error);
		this.#pending.clear();
	}

	#lost(code: number, reason: Buffer): EngineError {
		const cause = this.#error;
		if (!this.#hasStood) return lost(`cannot connect to ${this.#url}: ${cause?.message || cause?.code}`, cause);
		const why = reason.length > 0 ? `${code} (${reason})` : code;
		return lost(`the connection to ${this.#url} was closed with ${why} while this request was in flight`, cause);
	}
}

const lost = (message: string, cause?: unknown): EngineError => new EngineError('CONNECTION_LOST', message, { cause });
