/** Whether anybody notices a reload: the same load with and without new versions coming in, and the memory after a hundred of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { inPairs, type Pairs } from '../harness/in-pairs.js';
import type { LoadResult } from '../harness/load.js';
import { mergeLoads } from '../harness/merge-loads.js';
import { inRoot } from '../harness/paths.js';
import { Publisher } from '../harness/publisher.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { administer, type Rankd, startRankd } from '../harness/rankd.js';
import { median, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { atLeast, atMost, failuresOf, generatorCheck, intervalText } from './checks.js';
import { quickPeak } from './peak-of.js';
import { packagesRecommend } from './requests.js';

const SHARES = [0.5, 0.8];
const EVERY_MS = 1000;
/** Behind the generator's warm-up. */
const FIRST_MS = 400;
const RELOADS = 100;
const SLOWER_BOUND = 1.2;
const MEMORY_BOUND = 1.05;
/** What was retired is given back behind the requests that may still use it. */
const SETTLE_MS = 2000;
const MiB = 2 ** 20;

export const reload: Question = {
	name: 'reload',
	asks: 'What do requests see of a new version of their model every second, and is its memory given back?',
	usual: { seconds: 50, pairs: 20 },
	run,
};

/** Brings in one version after the other, and remembers how long each took and what the server weighed then. */
class Reloader {
	readonly tookMs: number[] = [];
	readonly residentBytes: number[] = [];
	readonly #server: Rankd;
	readonly #publisher: Publisher;

	constructor(server: Rankd, publisher: Publisher) {
		this.#server = server;
		this.#publisher = publisher;
	}

	async reload(): Promise<void> {
		this.#publisher.publish(bundle);
		const start = performance.now();
		await administer(this.#server, '/v1/repository/sync');
		this.tookMs.push(performance.now() - start);
		this.residentBytes.push(this.#server.residentBytes());
	}

	/** One a second until `over` settles, which is awaited. */
	async during<T>(over: Promise<T>): Promise<T> {
		const ended = over.then(
			() => true,
			() => true,
		);
		for (let wait = FIRST_MS; !(await Promise.race([ended, delay(wait, false)])); wait = this.#restOfSecond()) await this.reload();
		return await over;
	}

	#restOfSecond(): number {
		return Math.max(0, EVERY_MS - (this.tookMs.at(-1) ?? 0));
	}
}

const bundle = inRoot('models', 'packages', '1.0.0');

async function run(bench: Bench): Promise<Answer> {
	const publisher = new Publisher(`${bench.folder}/repository`, 'packages');
	publisher.publish(bundle);
	const server = await startRankd(bench, { repositories: [publisher.repository], flags: ['--model-control', 'explicit'] });
	const work = new Work(bench, server, { name: 'recommend', requests: packagesRecommend() });
	const peak = await quickPeak(bench, work);
	const reloader = new Reloader(server, publisher);
	const residentBefore = server.residentBytes();
	const seconds = bench.seconds / bench.pairs;
	const open = (share: number, round: number) => work.open(share * peak, seconds, 1 + round);
	const pairs = await inPairs<LoadResult>(SHARES, bench.pairs, {
		base: open,
		changed: (share, round) => {
			bench.progress(`round ${round + 1}: ${share * 100} % of ${Math.round(peak)}/s, ${reloader.tookMs.length} reloads so far`);
			return reloader.during(open(share, round));
		},
	});
	while (reloader.tookMs.length < RELOADS) await reloader.reload();
	await delay(SETTLE_MS);
	return answerOf(pairs, reloader, { before: residentBefore, after: server.residentBytes() });
}

interface Resident {
	before: number;
	after: number;
}

function answerOf(pairs: readonly Pairs<LoadResult>[], { tookMs, residentBytes }: Reloader, { before, after }: Resident): Answer {
	const p99s = (rounds: readonly LoadResult[]) => rounds.map(({ latency_us }) => latency_us.p99);
	const slower = pairs.map(({ share, base, changed }) => ({ share, ratio: pairedRatio(p99s(changed), p99s(base)) }));
	const loads = pairs.flatMap(({ base, changed }) => [...base, ...changed]);
	return {
		rows: pairs.flatMap(({ share, base, changed }) => [rowOf(share, 'none', base), rowOf(share, 'one a second', changed)]),
		checks: [
			atMost('failed requests', failuresOf(loads), 'requests', 0),
			...slower.map(({ share, ratio }) =>
				atMost(`p99 at ${share * 100} % with reloads against without`, ratio.value, 'times', SLOWER_BOUND),
			),
			atLeast('reloads', tookMs.length, '', RELOADS),
			atMost('resident memory after against before', after / before, 'times', MEMORY_BOUND),
			generatorCheck(loads),
		],
		charts: [...pairs.map(chartOf), memoryChart(before, residentBytes, after)],
		notes: [
			...slower.map(
				({ share, ratio }) =>
					`p99 at ${share * 100} % in ${pairs[0]?.base.length} pairs, with reloads against without: ${intervalText(ratio)}`,
			),
			`a reload took ${Math.round(median(tookMs))} ms (median), ${Math.round(Math.max(...tookMs))} ms at most; resident ${Math.round(before / MiB)} MiB before, ${Math.round(after / MiB)} MiB after ${tookMs.length}`,
		],
	};
}

function rowOf(share: number, reloads: string, rounds: readonly LoadResult[]): Row {
	const { latency_us: latency, completed_per_second } = mergeLoads(rounds);
	return {
		'% of peak': share * 100,
		reloads,
		'answers/s': completed_per_second,
		failed: failuresOf(rounds),
		'p50 ms': latency.p50 / 1000,
		'p99 ms': latency.p99 / 1000,
		'p99.9 ms': latency.p999 / 1000,
		'max ms': latency.max / 1000,
		'median of p99, ms': median(rounds.map(({ latency_us }) => latency_us.p99)) / 1000,
	};
}

function chartOf({ share, base, changed }: Pairs<LoadResult>): Answer['charts'][number] {
	const series = (name: string, rounds: readonly LoadResult[]) => ({
		name,
		points: rounds.map(({ latency_us }, round) => ({ x: round + 1, y: latency_us.p99 / 1000 })),
	});
	return {
		title: `p99 of recommend at ${share * 100} % of the peak`,
		x: { label: 'round' },
		y: { label: 'ms from the intended send', log: true },
		series: [series('no reloads', base), series('a reload every second', changed)],
	};
}

function memoryChart(before: number, during: readonly number[], after: number): Answer['charts'][number] {
	const points = [before, ...during, after].map((bytes, at) => ({ x: at, y: bytes / MiB }));
	return { title: 'Resident memory', x: { label: 'reloads so far' }, y: { label: 'MiB' }, series: [{ name: 'resident', points }] };
}
