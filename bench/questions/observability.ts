/** What it costs to watch: the same server with its counters, histograms and scrapes, and without, under the same load by turns. */
import { setInterval as every } from 'node:timers/promises';
import { targetOf, writeRequests } from '../harness/endpoints.js';
import { Unmeasurable } from '../harness/failures.js';
import type { GroupResult, LoadResult, LoadSpec } from '../harness/load.js';
import { addHistograms, percentilesOf } from '../harness/merge-loads.js';
import { inRoot } from '../harness/paths.js';
import { threadSeconds } from '../harness/process-tree.js';
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { answers, type Rankd, startRankd } from '../harness/rankd.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { atMost, errorCheck, generatorCheck, intervalText } from './checks.js';
import { quickPeak } from './peak-of.js';
import { scoreRequests } from './requests.js';

const SHARES = [0.5, 0.8];
const LOSS_BOUND = 0.01;
/** Half the interval's width; a cost known less well than that is not known. */
const KNOWN_WITHIN = 0.005;
/** The two servers take turns so often that whatever disturbs the machine disturbs both. */
const TURN_MS = 50;
/** A server has the load half of the time: it is scraped once per second of load. */
const SCRAPE_MS = 2000;
const CONNECTIONS = 32;
const ROUND_S = 1;

export const observability: Question = {
	name: 'observability',
	asks: 'How much CPU time per request do metrics cost, scraped every second, against a server that counts nothing?',
	usual: { seconds: 80, pairs: 40 },
	run,
};

/** A server's share of one round. */
interface Half {
	/** CPU time per answer. */
	us: number;
	counted: GroupResult;
}

/** Both servers at one share of the peak, in turns of milliseconds. */
interface Round {
	result: LoadResult;
	on: Half;
	off: Half;
}

async function run(bench: Bench): Promise<Answer> {
	// The cheapest work there is, since watching costs the same whatever is watched: a row of four numbers.
	const requests = scoreRequests('scorer', 4, 1);
	const repositories = [inRoot('test', 'fixtures', 'models')];
	const on = await startRankd(bench, { name: 'observability on', repositories });
	const off = await startRankd(bench, { name: 'observability off', repositories, flags: ['--observability', 'false'] });
	const peak = await quickPeak(bench, new Work(bench, off, { name: off.name, requests, inFlight: 16 }));
	const corpus = writeRequests(bench, 'rpc', requests);
	const seconds = Math.max(ROUND_S, bench.seconds / bench.pairs);
	const measured = new Map<number, Round[]>(SHARES.map((share) => [share, []]));
	await whileScraped(on, async () => {
		for (let round = 0; round < bench.pairs; round++) {
			for (const share of round % 2 === 0 ? SHARES : SHARES.toReversed()) {
				bench.progress(`round ${round + 1} of ${bench.pairs}: ${share * 100} % of ${Math.round(peak)}/s`);
				const spec = specOf(share * peak, seconds, round);
				measured.get(share)?.push(await measureRound(bench, spec, { on, off }, round % 2 === 0));
			}
		}
	});
	return answerOf(SHARES.map((share) => ({ share, rounds: measured.get(share) ?? [] })));

	function specOf(perSecond: number, seconds: number, round: number): LoadSpec {
		return {
			target: targetOf(on, 'rpc', requests),
			corpus,
			connections: CONNECTIONS,
			// Every request is counted, since CPU time is counted from the first to the last.
			warmup_seconds: 0,
			linger_seconds: 1,
			alternate_ms: TURN_MS,
			seed: 1 + round,
			load: { mode: 'open', arrivals: 'poisson', profile: [{ seconds, per_second: perSecond }] },
		};
	}
}

/** @param isOnFirst whose turn is first */
async function measureRound(bench: Bench, spec: LoadSpec, { on, off }: { on: Rankd; off: Rankd }, isOnFirst: boolean): Promise<Round> {
	const order = isOnFirst ? [on, off] : [off, on];
	let before: number[] = [];
	const onStart = () => {
		before = order.map(({ pid }) => threadSeconds(pid));
	};
	const result = await bench.load({ ...spec, target: { ...spec.target, addresses: order.map(({ tcp }) => tcp) } }, { onStart });
	const [first, second] = order.map(({ pid }, at) => halfOf(result, at, threadSeconds(pid) - (before[at] ?? 0))) as [Half, Half];
	return isOnFirst ? { result, on: first, off: second } : { result, on: second, off: first };
}

function halfOf({ groups }: LoadResult, at: number, cpuSeconds: number): Half {
	const counted = groups[at];
	if (counted === undefined || counted.completed === 0) throw new Unmeasurable('a server answered nothing in its turns');
	return { us: (cpuSeconds / counted.completed) * 1e6, counted };
}

/** Reads the metrics as Prometheus would, only more often. */
async function whileScraped<T>({ admin }: Rankd, body: () => Promise<T>): Promise<T> {
	const over = new AbortController();
	const scraping = (async () => {
		for await (const _ of every(SCRAPE_MS, undefined, { signal: over.signal })) await answers(`${admin}/metrics`);
	})().catch(() => {});
	try {
		return await body();
	} finally {
		over.abort();
		await scraping;
	}
}

interface Level {
	share: number;
	rounds: readonly Round[];
}

const costOf = ({ rounds }: Level): Estimate =>
	pairedRatio(
		rounds.map(({ on }) => on.us),
		rounds.map(({ off }) => off.us),
	);

function answerOf(levels: readonly Level[]): Answer {
	const loads = levels.flatMap(({ rounds }) => rounds.map(({ result }) => result));
	return {
		rows: levels.flatMap((level) => [rowOf(level, 'on'), rowOf(level, 'off')]),
		checks: [...levels.flatMap(checksOf), errorCheck(loads), generatorCheck(loads)],
		charts: levels.map(chartOf),
		notes: levels.map(
			(level) => `at ${level.share * 100} %, on against off in ${level.rounds.length} pairs: CPU time x ${intervalText(costOf(level), 4)}`,
		),
	};
}

function rowOf({ share, rounds }: Level, which: 'on' | 'off'): Row {
	const halves = rounds.map((round) => round[which]);
	const cost = medianEstimate(halves.map(({ us }) => us));
	const latency = percentilesOf(addHistograms(halves.map(({ counted }) => counted.histogram)));
	return {
		'% of peak': share * 100,
		observability: which === 'on' ? 'on, scraped every second' : 'off',
		'answers/s': median(rounds.map(({ result }) => result.completed_per_second)),
		'CPU µs': cost.value,
		low: cost.low,
		high: cost.high,
		'p50 ms': latency.p50 / 1000,
		'p99 ms': latency.p99 / 1000,
	};
}

function checksOf(level: Level): Check[] {
	const { value, low, high } = costOf(level);
	const at = `at ${level.share * 100} % of the peak`;
	return [
		atMost(`CPU time that watching costs, ${at}`, value - 1, 'share', LOSS_BOUND),
		atMost(`how well that is known, ${at}`, (high - low) / 2, '± share', KNOWN_WITHIN),
	];
}

function chartOf({ share, rounds }: Level): Answer['charts'][number] {
	const series = (which: 'on' | 'off') => ({
		name: which,
		points: rounds.map((round, at) => ({ x: at + 1, y: round[which].us })),
	});
	return {
		title: `CPU time per request at ${share * 100} % of the peak, round by round`,
		x: { label: 'round' },
		y: { label: 'µs' },
		series: [series('on'), series('off')],
	};
}
