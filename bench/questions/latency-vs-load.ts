/** How long a request takes as its server gets busier: Poisson arrivals at shares of the peak. */
import { interleave } from '../harness/interleave.js';
import type { LoadResult } from '../harness/load.js';
import { type MergedLoad, mergeLoads } from '../harness/merge-loads.js';
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { quantile } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { errorCheck, generatorCheck } from './checks.js';
import { peakOf } from './peak-of.js';
import { packagesRecommend } from './requests.js';

const SHARES = [0.2, 0.4, 0.6, 0.8, 0.9, 0.95];
/** Whose course over time is drawn. */
const DRAWN_SHARE = 0.8;
/** Name, place in a result, and how many answers it needs to mean more than the slowest one. */
const PERCENTILES = [
	['p50', 'p50', 2],
	['p95', 'p95', 20],
	['p99', 'p99', 100],
	['p99.9', 'p999', 1000],
] as const;

export const latencyVsLoad: Question = {
	name: 'latency-vs-load',
	asks: 'How long does `recommend` of the shipped bundle take at 20 to 95 % of its peak?',
	run,
};

interface Level {
	share: number;
	perSecond: number;
	rounds: LoadResult[];
	merged: MergedLoad;
}

async function run(bench: Bench): Promise<Answer> {
	const server = await startRankd(bench);
	const work = new Work(bench, server, { name: 'recommend, rpc', requests: packagesRecommend() });
	const closed = await work.closed(bench.seconds / bench.pairs);
	const peak = await peakOf(bench, work, closed.result.completed_per_second);
	const rounds = await interleave(
		SHARES.map((share) => ({
			name: String(share),
			measure: (round: number) => {
				bench.progress(`round ${round + 1}: ${share * 100} % of ${Math.round(peak.perSecond)}/s`);
				return work.open(share * peak.perSecond, bench.seconds / bench.pairs, 1 + round);
			},
		})),
		bench.pairs,
	);
	const levels = SHARES.map((share): Level => {
		const results = rounds.get(String(share)) ?? [];
		return { share, perSecond: share * peak.perSecond, rounds: results, merged: mergeLoads(results) };
	});
	return {
		rows: levels.map(rowOf),
		checks: [
			...levels.map(keptUpCheck),
			errorCheck(levels.flatMap((level) => level.rounds)),
			generatorCheck(levels.flatMap((level) => level.rounds)),
		],
		charts: chartsOf(levels),
	};
}

function rowOf({ share, perSecond, merged }: Level): Row {
	const { latency_us: latency } = merged;
	return {
		'% of peak': share * 100,
		'offered/s': perSecond,
		'answered/s': merged.completed_per_second,
		...Object.fromEntries(
			PERCENTILES.map(([name, key, answers]) => [`${name} ms`, merged.completed >= answers ? latency[key] / 1000 : null]),
		),
		'max ms': latency.max / 1000,
		missed: merged.missed,
	};
}

function keptUpCheck({ share, merged }: Level): Check {
	const answered = merged.completed / merged.intended;
	return {
		name: `answered at ${share * 100} % of the peak`,
		value: answered,
		unit: 'of what was sent',
		target: '>= 0.99',
		ok: answered >= 0.99,
	};
}

function chartsOf(levels: readonly Level[]): Answer['charts'] {
	const against = PERCENTILES.map(([name, key]) => ({
		name,
		points: levels.map(({ perSecond, merged, rounds }) => {
			const each = rounds.map(({ latency_us }) => latency_us[key] / 1000);
			return { x: perSecond, y: merged.latency_us[key] / 1000, low: quantile(each, 0), high: quantile(each, 1) };
		}),
	}));
	const drawn = levels.find(({ share }) => share === DRAWN_SHARE);
	return [
		{
			title: 'Latency against load (bands: lowest and highest round)',
			x: { label: 'requests/s, Poisson arrivals' },
			y: { label: 'ms from the intended send', log: true },
			series: against,
		},
		{
			title: `Over time at ${DRAWN_SHARE * 100} % of the peak, per tenth of a second`,
			x: { label: 'seconds, rounds one after the other' },
			y: { label: 'ms', log: true },
			series: drawn ? overTime(drawn.rounds) : [],
		},
	];
}

function overTime(rounds: readonly LoadResult[]): Answer['charts'][number]['series'] {
	const steps = rounds.flatMap(({ timeline, seconds }, round) =>
		timeline.filter(({ completed }) => completed > 0).map((step) => ({ ...step, x: round * seconds + step.at_ms / 1000 })),
	);
	return (['p50', 'p99', 'max'] as const).map((name) => ({
		name,
		points: steps.map((step) => ({ x: step.x, y: step[`${name}_us`] / 1000 })),
	}));
}
