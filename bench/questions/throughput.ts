/** How much one core answers: as fast as it can (closed loop), and in time (open loop, p99 within a bound). */
import type { Requests } from '../harness/endpoints.js';
import { interleave } from '../harness/interleave.js';
import type { LoadResult } from '../harness/load.js';
import { mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import type { Peak } from '../harness/peak.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { type Estimate, median, medianEstimate } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { errorCheck, generatorCheck } from './checks.js';
import { ownRequests } from './own-requests.js';
import { BOUND_MS, peakOf } from './peak-of.js';
import { packagesRank, packagesRecommend } from './requests.js';

/** Held-out items of the shipped bundle, as many as its pipeline retrieves. */
const CANDIDATES = 200;

export const throughput: Question = {
	name: 'throughput',
	asks: `How many requests for the shipped bundle does one core answer, at most and with p99 within ${BOUND_MS} ms?`,
	run,
};

interface Measured {
	work: Work;
	closed: readonly Observed[];
	peak: Peak<LoadResult>;
}

/** The shipped bundle's own requests, or those of the caller's file. */
function chosenRequests({ narrowed: { requests, target } }: Bench): Record<string, Requests> {
	if (requests !== undefined) return { [target ?? '']: ownRequests(requests, target) };
	return { recommend: packagesRecommend(), [`rank ${CANDIDATES}`]: packagesRank(CANDIDATES) };
}

async function run(bench: Bench): Promise<Answer> {
	const chosen = Object.entries(chosenRequests(bench));
	const { repository } = bench.narrowed;
	const server = await startRankd(bench, repository === undefined ? {} : { repositories: [repository] });
	const works = chosen.flatMap(([name, requests]) => [
		new Work(bench, server, { name: `${name}, rpc`, requests }),
		new Work(bench, server, { name: `${name}, rpc unix`, requests, socket: 'unix' }),
		new Work(bench, server, { name: `${name}, http json`, requests, protocol: 'json' }),
	]);
	const closed = await interleave(
		works.map((work) => ({
			name: work.name,
			measure: (round: number) => {
				bench.progress(`round ${round + 1}: ${work.name}, closed loop`);
				return work.closed(bench.seconds / bench.pairs);
			},
		})),
		bench.pairs,
	);
	const measured: Measured[] = [];
	for (const work of works) {
		const rounds = closed.get(work.name) ?? [];
		measured.push({ work, closed: rounds, peak: await peakOf(bench, work, median(rounds.map(rateOf))) });
	}
	const loads = measured.flatMap((one) => [...one.closed.map(({ result }) => result), one.peak.at]);
	return { rows: measured.map(rowOf), checks: [errorCheck(loads), generatorCheck(loads)], charts: chartsOf(measured) };
}

const rateOf = ({ result }: Observed): number => result.completed_per_second;

function closedOf({ closed }: Measured): Estimate {
	return medianEstimate(closed.map(rateOf));
}

function rowOf(measured: Measured): Row {
	const { work, closed, peak } = measured;
	const rate = closedOf(measured);
	const { latency_us: latency } = mergeLoads(closed.map(({ result }) => result));
	return {
		work: work.name,
		'closed/s': rate.value,
		low: rate.low,
		high: rate.high,
		'p50 ms': latency.p50 / 1000,
		'p99 ms': latency.p99 / 1000,
		'CPU µs': median(closed.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
		'server core': median(closed.map(({ serverUtilisation }) => serverUtilisation)),
		[`open/s, p99 <= ${BOUND_MS} ms`]: peak.perSecond,
		'there p50 ms': peak.at.latency_us.p50 / 1000,
		'there p99 ms': peak.at.latency_us.p99 / 1000,
	};
}

function chartsOf(measured: readonly Measured[]): Answer['charts'] {
	const rounds = measured.map(({ work, closed }) => ({
		name: work.name,
		points: closed.map((observed, round) => ({ x: round + 1, y: rateOf(observed) })),
	}));
	const searched = measured.map(({ work, peak }) => ({
		name: work.name,
		points: peak.tried.flatMap(({ perSecond, p99Ms }) => (p99Ms === null ? [] : [{ x: perSecond, y: p99Ms }])).sort((a, b) => a.x - b.x),
	}));
	return [
		{ title: 'Closed loop, round by round', x: { label: 'round' }, y: { label: 'answers/s' }, series: rounds },
		{
			title: `The search for the peak: p99 against offered load (bound ${BOUND_MS} ms)`,
			x: { label: 'requests/s' },
			y: { label: 'p99, ms', log: true },
			series: searched,
		},
	];
}
