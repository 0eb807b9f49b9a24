/** One server doing one work: what is offered to it, alone on its core. */
import { writeCorpus } from '../harness/corpus.js';
import type { Exclusive } from '../harness/exclusive.js';
import { Unmeasurable } from '../harness/failures.js';
import type { LoadResult, LoadSpec } from '../harness/load.js';
import { type Observed, observedLoad } from '../harness/observed-load.js';
import type { Bench } from '../harness/question.js';
import type { Server } from '../harness/server.js';
import { ask } from './ask.js';
import type { Content, WorkName } from './content.js';
import { difference } from './equality.js';
import type { Form, Served } from './forms.js';

/** A server that has been started. */
export interface Standing {
	name: string;
	server: Server;
	/** `127.0.0.1:port` */
	address: string;
	form: Form;
}

/** In a closed loop 16 requests are outstanding everywhere; over RPC they share four connections. */
const CLOSED = { rpc: { connections: 4, inFlight: 4 }, http: { connections: 16, inFlight: 1 } } as const;
/** In an open loop a request must never wait for a connection while the server has room. */
const OPEN = { rpc: 4, http: 64 } as const;
const WARMUP_S = 0.3;
/** A shorter load says little, and the server's share of it cannot be read from /proc. */
const SHORTEST_S = 1;

export class Subject {
	readonly name: string;
	readonly work: WorkName;
	readonly #bench: Bench;
	readonly #exclusive: Exclusive;
	readonly #standing: Standing;
	readonly #contents: readonly Content[];
	readonly #base: Pick<LoadSpec, 'target' | 'corpus' | 'warmup_seconds'>;

	constructor(bench: Bench, exclusive: Exclusive, standing: Standing, work: WorkName, contents: readonly Content[]) {
		const { name, address, form } = standing;
		this.name = name;
		this.work = work;
		this.#bench = bench;
		this.#exclusive = exclusive;
		this.#standing = standing;
		this.#contents = contents;
		const corpus = `${bench.folder}/${name.replaceAll(/\W+/g, '-')}-${work}.corpus`;
		writeCorpus(corpus, contents.map(form.encode));
		const headers = form.transport === 'http' && { headers: { 'content-type': 'application/json' } };
		const target = { transport: form.transport, addresses: [address], path: form.path(work), ...headers };
		this.#base = { target, corpus, warmup_seconds: WARMUP_S };
	}

	/** How its requests in flight are spread in a closed loop. */
	get inFlight(): string {
		const { connections, inFlight } = CLOSED[this.#standing.form.transport];
		return `${connections} x ${inFlight}`;
	}

	/** The answers to the first `count` requests. */
	async answers(count: number): Promise<Served[]> {
		this.#exclusive.run(this.#standing.server);
		const served: Served[] = [];
		for (const content of this.#contents.slice(0, count)) served.push(await ask(this.#standing.address, this.#standing.form, content));
		return served;
	}

	/** @throws Unmeasurable when it answers anything else than `expected` */
	async mustAnswer(expected: readonly Served[]): Promise<void> {
		const served = await this.answers(expected.length);
		for (const [at, answer] of served.entries()) {
			const problem = difference(answer, expected[at] as Served);
			if (problem) throw new Unmeasurable(`${this.name} does not do the same work: ${this.work} request ${at} gives ${problem}`);
		}
	}

	/** As fast as the server answers. */
	closed(seconds: number): Promise<Observed> {
		const { connections, inFlight } = CLOSED[this.#standing.form.transport];
		const load = { mode: 'closed', in_flight: inFlight, seconds: Math.max(SHORTEST_S, seconds) } as const;
		this.#exclusive.run(this.#standing.server);
		return observedLoad(this.#bench, this.#standing.server, { ...this.#base, connections, load });
	}

	/** Poisson arrivals at a rate, whatever the server does. @param seed another one gives other moments */
	open(perSecond: number, seconds: number, seed: number): Promise<LoadResult> {
		const profile = [{ seconds: Math.max(SHORTEST_S, seconds), per_second: perSecond }];
		const load = { mode: 'open', arrivals: 'poisson', profile } as const;
		this.#exclusive.run(this.#standing.server);
		return this.#bench.load({ ...this.#base, connections: OPEN[this.#standing.form.transport], load, seed });
	}
}
