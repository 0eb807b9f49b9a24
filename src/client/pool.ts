/** The connections to all hosts: each request goes to one of them that stands, or waits for the first that does. */
import type { EngineError } from '../errors.js';
import { Connection } from './connection.js';
import type { Exchange } from './rpc-socket.js';
import { lessLoadedOfTwo } from './two-choices.js';

export interface PoolOptions {
	urls: readonly string[];
	/** For each url. */
	connections: number;
	connectTimeoutMs: number;
}

/** A request that a pool can carry. */
export interface Carried extends Exchange {
	/** Where it was sent to; the pool writes it. */
	connection: Connection | undefined;
	/** How much of its time is left. */
	readonly leftMs: number;
}

/** This many fit msgpack's shortest integers, and are never in flight at once. */
const LAST_ID = 2 ** 32 - 1;

export class Pool {
	readonly #connections: readonly Connection[];
	readonly #waiting = new Map<number, Carried>();
	#lastId = 0;
	#lastLoss: EngineError | undefined;

	constructor({ urls, connections, connectTimeoutMs }: PoolOptions) {
		const options = { connectTimeoutMs, onReady: () => this.#sendWaiting(), onLost: (error: EngineError) => this.#lost(error) };
		this.#connections = urls.flatMap((url) => Array.from({ length: connections }, () => new Connection(url, options)));
	}

	get connections(): readonly Connection[] {
		return this.#connections;
	}

	/** Ids ascend, so that a socket knows which of its requests is older. */
	nextId(): number {
		this.#lastId = this.#lastId === LAST_ID ? 1 : this.#lastId + 1;
		return this.#lastId;
	}

	/** Sends or keeps it; fails it at once when no host can be reached in its time. @param avoid where it has just failed */
	send(request: Carried, avoid?: Connection): void {
		const ready = this.#ready();
		const connection = lessLoadedOfTwo(elsewhere(ready, avoid)) ?? ready[0];
		if (connection !== undefined) return this.sendOn(connection, request);
		const soonestMs = Math.min(...this.#connections.map(({ msToConnect }) => msToConnect));
		if (this.#lastLoss !== undefined && soonestMs >= request.leftMs) return request.fail(this.#lastLoss);
		this.#waiting.set(request.id, request);
	}

	/** Another one that takes requests, of another host where there is one. */
	other(connection: Connection): Connection | undefined {
		return lessLoadedOfTwo(elsewhere(this.#ready(), connection));
	}

	/** @param connection one that takes requests */
	sendOn(connection: Connection, request: Carried): void {
		request.connection = connection;
		connection.send(request);
	}

	/** Nobody waits for its answer any more. */
	forget({ id, connection }: Carried): void {
		this.#waiting.delete(id);
		connection?.forget(id);
	}

	/** As `forget`, because its deadline has passed. */
	expired({ id, connection }: Carried): void {
		this.#waiting.delete(id);
		connection?.expired(id);
	}

	async close(): Promise<void> {
		await Promise.all(this.#connections.map((connection) => connection.close()));
	}

	/** Those that take requests; the others begin to connect, so that they soon do. */
	#ready(): Connection[] {
		return this.#connections.filter((connection) => {
			if (!connection.isReady) connection.wake();
			return connection.isReady;
		});
	}

	#sendWaiting(): void {
		for (const request of this.#takeWaiting()) this.send(request);
	}

	/** While another attempt is under way, requests wait for that one. */
	#lost(error: EngineError): void {
		this.#lastLoss = error;
		if (this.#connections.some(({ isUnderWay }) => isUnderWay)) return;
		for (const request of this.#takeWaiting()) request.fail(error);
	}

	/** All at once, for those that wait again. */
	#takeWaiting(): Carried[] {
		const waiting = [...this.#waiting.values()];
		this.#waiting.clear();
		return waiting;
	}
}

/** Connections to other hosts, else other connections to the same one. */
function elsewhere(connections: readonly Connection[], avoid: Connection | undefined): readonly Connection[] {
	if (avoid === undefined) return connections;
	const hosts = connections.filter(({ url }) => url !== avoid.url);
	return hosts.length > 0 ? hosts : connections.filter((connection) => connection !== avoid);
}
