/** A stream of requests for one server, ready to be offered in a closed or an open loop. */
import { type Protocol, type Requests, type Socket, targetOf, writeRequests } from './endpoints.js';
import type { LoadResult, LoadSpec, OpenLoad, RetrySpec } from './load.js';
import { type Observed, observedLoad } from './observed-load.js';
import type { Bench, LoadOptions } from './question.js';
import type { Listening } from './rankd.js';
import type { Server } from './server.js';

export interface WorkOptions {
	name: string;
	requests: Requests;
	/** Default rpc. */
	protocol?: Protocol;
	/** Default tcp. */
	socket?: Socket;
	connections?: number;
	/** Per connection, in a closed loop over RPC. */
	inFlight?: number;
	/** Of each request, over RPC. */
	deadlineMs?: number;
	retry?: RetrySpec;
	/** Of the generator; default: the bench's. */
	cores?: readonly number[];
}

/** Enough to keep a core busy with batches, few enough that a closed loop's own queue stays short. */
const RPC = { connections: 16, inFlight: 4 };
/** HTTP has one request outstanding per connection. */
const HTTP = { connections: 64, inFlight: 1 };
/** Of the generator, before it counts. */
export const WARMUP_S = 0.3;
/** What an overloaded server has not answered by then is too late for any bound that is asked for here. */
const LINGER_S = 2;
/** A shorter load says little, and the server's share of it cannot be read from /proc. */
const SHORTEST_S = 1;

export class Work {
	readonly name: string;
	readonly server: Server & Listening;
	readonly #bench: Bench;
	readonly #base: Omit<LoadSpec, 'load'>;
	readonly #inFlight: number;
	readonly #cores: readonly number[];

	constructor(bench: Bench, server: Server & Listening, options: WorkOptions) {
		const { name, requests, protocol = 'rpc', socket = 'tcp', cores = [bench.cores.load], deadlineMs, retry } = options;
		const usual = protocol === 'rpc' ? RPC : HTTP;
		this.name = name;
		this.server = server;
		this.#bench = bench;
		this.#inFlight = options.inFlight ?? usual.inFlight;
		this.#cores = cores;
		this.#base = {
			target: targetOf(server, protocol, requests, socket),
			corpus: writeRequests(bench, protocol, requests, deadlineMs),
			connections: options.connections ?? usual.connections,
			warmup_seconds: WARMUP_S,
			linger_seconds: LINGER_S,
			...(requests.groups && { groups: requests.groups }),
			...(deadlineMs !== undefined && { deadline_ms: deadlineMs }),
			...(retry && { retry }),
		};
	}

	/** As fast as the server answers. */
	closed(seconds: number): Promise<Observed> {
		const load = { mode: 'closed', in_flight: this.#inFlight, seconds: Math.max(SHORTEST_S, seconds) } as const;
		return observedLoad(this.#bench, this.server, { ...this.#base, load }, { cores: this.#cores });
	}

	/** Poisson arrivals at a rate, whatever the server does. @param seed another one gives other moments */
	open(perSecond: number, seconds: number, seed: number): Promise<LoadResult> {
		const profile = [{ seconds: Math.max(SHORTEST_S, seconds), per_second: perSecond }];
		return this.offer({ arrivals: 'poisson', profile }, seed);
	}

	/** Any arrivals. @param onStart as for `bench.load` */
	offer(load: Omit<OpenLoad, 'mode'>, seed: number, onStart?: LoadOptions['onStart']): Promise<LoadResult> {
		return this.#bench.load({ ...this.#base, load: { mode: 'open', ...load }, seed }, { cores: this.#cores, ...(onStart && { onStart }) });
	}
}
