/** A place for one WebSocket to a host: connects when it is needed, again when it was lost, and not at once when that failed. */
import type { EngineError } from '../errors.js';
import { backoffMs } from './backoff.js';
import { DecayingSum } from './decaying-sum.js';
import { type Exchange, RpcSocket } from './rpc-socket.js';

export interface ConnectionOptions {
	connectTimeoutMs: number;
	/** It takes requests now. */
	onReady(): void;
	/** It takes none, and why. */
	onLost(error: EngineError): void;
}

/** How long a request that was not served speaks against a connection. */
const UNSERVED_MEMORY_MS = 1000;

/** `waiting` for its next attempt to connect; `silent`: it missed a deadline and has not answered a ping. */
export type ConnectionState = 'idle' | 'waiting' | 'connecting' | 'ready' | 'silent';

export class Connection {
	readonly url: string;
	readonly #options: ConnectionOptions;
	/** The one for new requests, standing or about to. */
	#socket: RpcSocket | undefined;
	/** That one, and those that only finish what they have. */
	readonly #sockets = new Set<RpcSocket>();
	/** Requests that were refused for load, or not answered in time. */
	readonly #unserved = new DecayingSum(UNSERVED_MEMORY_MS);
	/** Attempts in a row after which no answer came. */
	#failures = 0;
	#connectAtMs = 0;
	#timer: NodeJS.Timeout | undefined;

	constructor(url: string, options: ConnectionOptions) {
		this.url = url;
		this.#options = options;
	}

	get isReady(): boolean {
		return this.#socket?.takesRequests === true;
	}

	/** It stands or is about to, or else will be lost. */
	get isUnderWay(): boolean {
		return this.#socket !== undefined;
	}

	get state(): ConnectionState {
		if (this.isReady) return 'ready';
		if (this.#socket !== undefined) return this.#socket.hasStood ? 'silent' : 'connecting';
		return this.#timer === undefined ? 'idle' : 'waiting';
	}

	get requestsInFlight(): number {
		return [...this.#sockets].reduce((sum, socket) => sum + socket.load, 0);
	}

	/** Requests in flight; those it has not served lately count as if they were, or who drops work fastest would look least loaded. */
	get load(): number {
		return (this.#socket?.load ?? 0) + this.#unserved.value;
	}

	/** Until an attempt to connect is made; 0 when it has been. */
	get msToConnect(): number {
		return this.#socket === undefined ? Math.max(0, this.#connectAtMs - performance.now()) : 0;
	}

	/** Connects, now or when its time has come; nothing when that is under way. */
	wake(): void {
		if (this.#socket !== undefined || this.#timer !== undefined) return;
		const waitMs = this.msToConnect;
		if (waitMs === 0) return this.#connect();
		this.#timer = setTimeout(() => this.#connect(), waitMs);
	}

	/** Only while it is ready. */
	send(exchange: Exchange): void {
		this.#socket?.send(exchange);
	}

	forget(id: number): void {
		for (const socket of this.#sockets) socket.forget(id);
	}

	expired(id: number): void {
		this.#unserved.add(1);
		for (const socket of this.#sockets) socket.expired(id);
	}

	async close(): Promise<void> {
		clearTimeout(this.#timer);
		await Promise.all([...this.#sockets].map((socket) => socket.close()));
	}

	#connect(): void {
		this.#timer = undefined;
		const socket = new RpcSocket(this.url, this.#options.connectTimeoutMs, {
			opened: () => this.#options.onReady(),
			refused: (error) => this.#refused(socket, error),
			heard: () => this.#options.onReady(),
			closed: (error) => this.#closed(socket, error),
		});
		this.#socket = socket;
		this.#sockets.add(socket);
	}

	#refused(socket: RpcSocket, { code }: EngineError): void {
		if (code === 'OVERLOADED' || code === 'DEADLINE_EXCEEDED') this.#unserved.add(1);
		if (code === 'DRAINING' && socket === this.#socket) {
			this.#socket = undefined;
			socket.retire();
		}
	}

	/** A host that takes connections and drops them is as little use as one that takes none: only an answer proves it. */
	#closed(socket: RpcSocket, error: EngineError): void {
		this.#sockets.delete(socket);
		if (socket !== this.#socket) return;
		this.#socket = undefined;
		this.#failures = socket.hasAnswered ? 0 : this.#failures + 1;
		this.#connectAtMs = performance.now() + backoffMs(this.#failures);
		this.#options.onLost(error);
	}
}
