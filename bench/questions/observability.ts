/** What it costs to watch: the same server with its counters, histograms and a scrape per second, and without. */
import { setInterval as every } from 'node:timers/promises';
import { Exclusive } from '../harness/exclusive.js';
import { interleave } from '../harness/interleave.js';
import { mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import { inRoot } from '../harness/paths.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { answers, type Listening, startRankd } from '../harness/rankd.js';
import { median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { errorCheck, generatorCheck } from './checks.js';
import { scoreRequests } from './requests.js';

const SCRAPE_MS = 1000;
const LOSS_BOUND = 0.01;
/** Half the interval's width; a loss known less well than that is not known. */
const KNOWN_WITHIN = 0.03;
/** The difference is small and the machine drifts: many short rounds tell more than few long ones. */
const ROUND_S = 1;

export const observability: Question = {
	name: 'observability',
	asks: 'How much throughput do metrics cost, scraped every second, against a server that counts nothing?',
	run,
};

async function run(bench: Bench): Promise<Answer> {
	// The cheapest work there is, since watching costs the same whatever is watched: a row of four numbers.
	const requests = scoreRequests('scorer', 4, 1);
	const repositories = [inRoot('test', 'fixtures', 'models')];
	const on = await startRankd(bench, { name: 'observability on', repositories });
	const off = await startRankd(bench, { name: 'observability off', repositories, flags: ['--observability', 'false'] });
	// Watching costs a little even while idle, and the two share a core.
	const exclusive = new Exclusive([on, off]);
	const workOf = (server: typeof on) => new Work(bench, server, { name: server.name, requests, inFlight: 16 });
	const [watched, unwatched] = [workOf(on), workOf(off)];
	const rounds = Math.max(bench.pairs, Math.floor(bench.seconds / ROUND_S));
	const alternatives = [
		{ name: 'on', measure: measureWatched },
		{ name: 'off', measure: (round: number) => measure(unwatched, round) },
	];
	try {
		const results = await interleave(alternatives, rounds);
		return answerOf(results.get('on') ?? [], results.get('off') ?? []);
	} finally {
		exclusive.release();
	}

	function measureWatched(round: number): Promise<Observed> {
		exclusive.run(on);
		return whileScraped(on, () => measure(watched, round));
	}

	function measure(work: Work, round: number): Promise<Observed> {
		bench.progress(`round ${round + 1} of ${rounds}: ${work.name}`);
		exclusive.run(work.server);
		return work.closed(Math.max(ROUND_S, bench.seconds / rounds));
	}
}

/** Reads the metrics every second, as Prometheus would, only more often. */
async function whileScraped<T>({ base }: Listening, body: () => Promise<T>): Promise<T> {
	const over = new AbortController();
	const scraping = (async () => {
		await answers(`${base}/metrics`);
		for await (const _ of every(SCRAPE_MS, undefined, { signal: over.signal })) await answers(`${base}/metrics`);
	})().catch(() => {});
	try {
		return await body();
	} finally {
		over.abort();
		await scraping;
	}
}

const rates = (rounds: readonly Observed[]): number[] => rounds.map(({ result }) => result.completed_per_second);
const costs = (rounds: readonly Observed[]): number[] => rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest);

function answerOf(on: readonly Observed[], off: readonly Observed[]): Answer {
	const ratio = pairedRatio(rates(on), rates(off));
	const loads = [...on, ...off].map(({ result }) => result);
	const row = (name: string, rounds: readonly Observed[]): Row => {
		const rate = medianEstimate(rates(rounds));
		const { latency_us: latency } = mergeLoads(rounds.map(({ result }) => result));
		return {
			observability: name,
			'answers/s': rate.value,
			low: rate.low,
			high: rate.high,
			'CPU µs': median(costs(rounds)),
			'p50 ms': latency.p50 / 1000,
			'p99 ms': latency.p99 / 1000,
		};
	};
	const series = (name: string, rounds: readonly Observed[]) => ({
		name,
		points: rates(rounds).map((y, round) => ({ x: round + 1, y })),
	});
	const loss = 1 - ratio.value;
	const known = (ratio.high - ratio.low) / 2;
	const inPercent = (value: number) => `${(100 * value).toFixed(2)} %`;
	return {
		rows: [row('on, scraped every second', on), row('off', off)],
		checks: [
			{ name: 'throughput lost by watching', value: loss, unit: 'share', target: `<= ${LOSS_BOUND}`, ok: loss <= LOSS_BOUND },
			{ name: 'how well that is known', value: known, unit: '± share', target: `<= ${KNOWN_WITHIN}`, ok: known <= KNOWN_WITHIN },
			errorCheck(loads),
			generatorCheck(loads),
		],
		charts: [
			{
				title: 'Answers per second, round by round',
				x: { label: 'round' },
				y: { label: 'answers/s' },
				series: [series('on', on), series('off', off)],
			},
		],
		notes: [
			`on against off in ${on.length} pairs: ${inPercent(loss)} lost, 95 % interval ${inPercent(1 - ratio.high)} to ${inPercent(1 - ratio.low)}`,
		],
	};
}
