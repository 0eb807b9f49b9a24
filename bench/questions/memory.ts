/** Whether memory grows: hours of work in minutes, with clients that do not read, clients that vanish, and models that come and go. */
import { setTimeout as delay, setInterval as every } from 'node:timers/promises';
import { frameOf } from '../harness/corpus.js';
import { operationNumber } from '../harness/endpoints.js';
import type { LoadResult } from '../harness/load.js';
import { inRoot } from '../harness/paths.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { administer, type Rankd, startRankd } from '../harness/rankd.js';
import { neverRead, vanish } from '../harness/rude-clients.js';
import { Work } from '../harness/work.js';
import { atLeast, atMost, errorCheck, generatorCheck } from './checks.js';
import { packagesRank, packagesRecommend, scoreRequests } from './requests.js';

const REQUESTS = 1_000_000;
const CYCLES = 1000;
const VANISHING = 2000;
/** Each would make the server keep far more answers than the kernel and rankd let wait. */
const SLOW = { count: 8, rounds: 2000, patienceMs: 1000 };
/** Beside the loads and unloads. */
const TRAFFIC_PER_SECOND = 300;
const GROWTH_BOUND = 1.05;
const SAMPLE_MS = 250;
/** What was retired or cut off is given back behind the requests that may still use it. */
const SETTLE_MS = 2000;
/** What costs least comes most often: a row of four numbers. */
const SCORED = { name: 'scorer', features: 4 };
const MANY_ROWS = 5000;
const CYCLED = { name: 'tiny', version: '1.0.0' };
const MiB = 2 ** 20;

export const memory: Question = {
	name: 'memory',
	asks: 'Does memory stay flat over a million requests, slow readers, vanishing clients and a thousand loads and unloads?',
	run,
};

/** A part of the course, and how much of it: the warm-up goes through all of them in small. */
interface Course {
	requests: number;
	seconds: number;
	slowRounds: number;
	vanishing: number;
	cycles: number;
}

const WARM_UP: Course = { requests: 50_000, seconds: 2, slowRounds: 500, vanishing: 100, cycles: 50 };

interface Ended {
	name: string;
	done: string;
	seconds: number;
	/** The most while it ran, and what was left some time after. */
	peakBytes: number;
	residentBytes: number;
}

interface Sample {
	atMs: number;
	residentBytes: number;
}

async function run(bench: Bench): Promise<Answer> {
	const repositories = [inRoot('models'), inRoot('test', 'fixtures', 'models')];
	const server = await startRankd(bench, { repositories, flags: ['--model-control', 'explicit'] });
	const endurance = new Endurance(bench, server);
	const whole: Course = { requests: REQUESTS, seconds: bench.seconds, slowRounds: SLOW.rounds, vanishing: VANISHING, cycles: CYCLES };
	const ended: Ended[] = [];
	const samples = await whileSampled(server, async (samples) => {
		ended.push(await phase('warm-up: all of it in small', samples, () => endurance.all(WARM_UP)));
		for (const [name, body] of endurance.parts(whole)) ended.push(await phase(name, samples, body));
	});
	return answerOf(ended, samples, endurance);

	async function phase(name: string, samples: readonly Sample[], body: () => Promise<string>): Promise<Ended> {
		bench.progress(name);
		const [start, from] = [performance.now(), samples.length];
		const done = await body();
		const seconds = (performance.now() - start) / 1000;
		await delay(SETTLE_MS);
		const peakBytes = Math.max(...samples.slice(from).map(({ residentBytes }) => residentBytes));
		return { name, done, seconds, peakBytes, residentBytes: server.residentBytes() };
	}
}

/** What a server lives through in a long time. */
class Endurance {
	readonly loads: LoadResult[] = [];
	answered = 0;
	cycles = 0;
	readonly #bench: Bench;
	readonly #server: Rankd;
	readonly #score: Work;
	readonly #rank: Work;
	readonly #recommend: Work;

	constructor(bench: Bench, server: Rankd) {
		this.#bench = bench;
		this.#server = server;
		this.#score = new Work(bench, server, { name: 'score', requests: scoreRequests(SCORED.name, SCORED.features, 1) });
		this.#rank = new Work(bench, server, { name: 'rank', requests: packagesRank(200) });
		this.#recommend = new Work(bench, server, { name: 'recommend, http', requests: packagesRecommend(), protocol: 'json' });
	}

	/** Everything, one after the other. */
	async all(course: Course): Promise<string> {
		for (const [, body] of this.parts(course)) await body();
		return 'all';
	}

	parts(course: Course): [name: string, body: () => Promise<string>][] {
		return [
			['requests', () => this.#requests(course)],
			['slow readers', () => this.#slowReaders(course.slowRounds)],
			['vanishing clients', () => this.#vanishing(course.vanishing)],
			['loads and unloads under load', () => this.#loadCycles(course)],
			['requests again', () => this.#requests({ ...course, requests: course.requests / 10 })],
		];
	}

	async #requests({ requests, seconds }: Course): Promise<string> {
		const before = this.answered;
		for (const work of [this.#rank, this.#recommend]) this.#count((await work.closed(seconds)).result);
		while (this.answered - before < requests) this.#count((await this.#score.closed(1)).result);
		return `${this.answered - before} requests`;
	}

	async #slowReaders(rounds: number): Promise<string> {
		const [body] = scoreRequests(SCORED.name, SCORED.features, MANY_ROWS).bodies;
		const frame = frameOf({ operation: operationNumber.score, target: SCORED.name, body });
		const { cut, held } = await neverRead(this.#server.port, { ...SLOW, rounds }, frame);
		return `${SLOW.count} clients, ${cut} cut off, ${held} held back`;
	}

	async #vanishing(count: number): Promise<string> {
		const frames = packagesRank(200)
			.bodies.slice(0, 10)
			.map((body) => frameOf({ operation: operationNumber.rank, target: 'packages', body }));
		await vanish(this.#server.port, count, frames);
		return `${count} clients with ${frames.length} requests each`;
	}

	/** The model that is loaded and unloaded is not the one that is asked. */
	async #loadCycles({ cycles, seconds }: Course): Promise<string> {
		const [traffic] = await Promise.all([this.#rank.open(TRAFFIC_PER_SECOND, seconds, 1), this.#loadAndUnload(cycles)]);
		this.#count(traffic);
		return `${cycles} cycles`;
	}

	async #loadAndUnload(cycles: number): Promise<void> {
		const { name, version } = CYCLED;
		for (let cycle = 0; cycle < cycles; cycle++, this.cycles++) {
			if (cycle % 100 === 0) this.#bench.progress(`cycle ${cycle} of ${cycles}`);
			await administer(this.#server, `/v1/models/${name}/unload`, { version });
			await administer(this.#server, `/v1/models/${name}/load`, { version });
		}
	}

	#count(result: LoadResult): void {
		this.loads.push(result);
		this.answered += result.completed;
	}
}

/** Looks at the memory every now and then. */
async function whileSampled(server: Rankd, body: (samples: readonly Sample[]) => Promise<void>): Promise<Sample[]> {
	const samples: Sample[] = [];
	const over = new AbortController();
	const look = () => samples.push({ atMs: performance.now(), residentBytes: server.residentBytes() });
	look();
	const sampling = (async () => {
		for await (const _ of every(SAMPLE_MS, undefined, { signal: over.signal })) look();
	})().catch(() => {});
	try {
		await body(samples);
		return samples;
	} finally {
		over.abort();
		await sampling;
	}
}

function answerOf(ended: readonly Ended[], samples: readonly Sample[], { loads, answered, cycles }: Endurance): Answer {
	const afterWarmUp = ended[0]?.residentBytes ?? 0;
	const growth = (ended.at(-1)?.residentBytes ?? 0) / afterWarmUp;
	return {
		rows: ended.map((phase) => rowOf(phase, afterWarmUp)),
		checks: [
			atMost('resident memory at the end against after the warm-up', growth, 'times', GROWTH_BOUND),
			atLeast('requests answered', answered, '', REQUESTS),
			atLeast('loads and unloads', cycles, '', CYCLES),
			errorCheck(loads),
			generatorCheck(loads),
		],
		charts: [chartOf(samples)],
	};
}

function rowOf({ name, done, seconds, peakBytes, residentBytes }: Ended, afterWarmUp: number): Row {
	return {
		part: name,
		done,
		seconds,
		'resident MiB, at most': peakBytes / MiB,
		'resident MiB, after': residentBytes / MiB,
		'against warm-up': residentBytes / afterWarmUp,
	};
}

function chartOf(samples: readonly Sample[]): Answer['charts'][number] {
	const start = samples[0]?.atMs ?? 0;
	const points = samples.map(({ atMs, residentBytes }) => ({ x: (atMs - start) / 1000, y: residentBytes / MiB }));
	return { title: 'Resident memory', x: { label: 'seconds' }, y: { label: 'MiB' }, series: [{ name: 'resident', points }] };
}
