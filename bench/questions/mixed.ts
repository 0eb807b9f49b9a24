/** Whether a big request holds small ones hostage: small requests alone, and beside big ones that take half of the same utilisation. */
import type { Requests } from '../harness/endpoints.js';
import { inPairs, type Pairs } from '../harness/in-pairs.js';
import type { GroupResult, LoadResult } from '../harness/load.js';
import { addHistograms, percentilesOf } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { random, wholeBelow } from '../harness/random.js';
import { startRankd } from '../harness/rankd.js';
import { median, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { benchModel } from '../models/models.js';
import { atMost, errorCheck, generatorCheck, intervalText } from './checks.js';
import { quickPeak } from './peak-of.js';
import { rankRequests } from './requests.js';

const SMALL = 200;
const BIG = 5000;
const SHARES = [0.5, 0.8];
/** Of the utilisation, in the mixed condition. */
const BIG_PART = 0.5;
const BOUND = 2;
/** Long enough that few big ones among many small ones come in about the right number. */
const ENTRIES = 2048;

export const mixed: Question = {
	name: 'mixed',
	asks: `How much slower are requests of ${SMALL} candidates beside some of ${BIG.toLocaleString('en-US')}, at the same utilisation?`,
	usual: { seconds: 40, pairs: 20 },
	run,
};

async function run(bench: Bench): Promise<Answer> {
	const model = await benchModel('ranker-u64', bench.progress);
	const server = await startRankd(bench, { repositories: [model.repository] });
	const small = rankRequests(model, 'u32 rows', SMALL);
	const big = rankRequests(model, 'u32 rows', BIG);
	const alone = new Work(bench, server, { name: `${SMALL} candidates`, requests: small });
	const peak = await quickPeak(bench, alone);
	const timesAsDear = await costRatio(bench, alone, new Work(bench, server, { name: `${BIG} candidates`, requests: big, inFlight: 1 }));
	// A big one takes the place of so many small ones: x small and y big with x + y * timesAsDear = 1, half of it big.
	const bigPerSmall = BIG_PART / timesAsDear / (1 - BIG_PART);
	const beside = new Work(bench, server, { name: 'mixed', requests: mixedRequests(small, big, bigPerSmall / (1 + bigPerSmall)) });
	const seconds = bench.seconds / bench.pairs;
	const pairs = await inPairs<LoadResult>(SHARES, bench.pairs, {
		base: (share, round) => alone.open(share * peak, seconds, 1 + round),
		changed: (share, round) => {
			bench.progress(`round ${round + 1}: mixed at ${share * 100} % of ${Math.round(peak)}/s`);
			return beside.open(share * peak * (1 - BIG_PART) * (1 + bigPerSmall), seconds, 1 + round);
		},
	});
	const loads = pairs.flatMap(({ base, changed }) => [...base, ...changed]);
	const slower = pairs.map(({ share, base, changed }) => ({
		share,
		ratio: pairedRatio(changed.map(smallOf).map(p99Of), base.map(smallOf).map(p99Of)),
	}));
	return {
		rows: pairs.flatMap(rowsOf),
		checks: [
			...slower.map(({ share, ratio }) =>
				atMost(`p99 of small ones at ${share * 100} %, mixed against alone`, ratio.value, 'times', BOUND),
			),
			errorCheck(loads),
			generatorCheck(loads),
		],
		charts: chartsOf(pairs),
		notes: [
			`one request of ${BIG} candidates costs as much as ${timesAsDear.toFixed(1)} of ${SMALL}`,
			...slower.map(
				({ share, ratio }) => `p99 of small ones at ${share * 100} % in ${bench.pairs} pairs: ${intervalText(ratio)} times theirs alone`,
			),
		],
	};
}

/** How many times the CPU time of the first the second takes, taking turns. */
async function costRatio(bench: Bench, small: Work, big: Work): Promise<number> {
	const costs = async (work: Work): Promise<number> => {
		bench.progress(`${work.name}: what one costs`);
		const rounds: Observed[] = [await work.closed(1), await work.closed(1)];
		return median(rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest));
	};
	return (await costs(big)) / (await costs(small));
}

/** Group 0 is small, group 1 big; the big ones stand at random places, the same ones every time. */
export function mixedRequests(small: Requests, big: Requests, bigShare: number): Requests {
	const next = random(7);
	const places = new Set<number>();
	const wanted = Math.max(1, Math.round(bigShare * ENTRIES));
	while (places.size < wanted) places.add(wholeBelow(next, ENTRIES));
	const groups = Array.from({ length: ENTRIES }, (_, place) => Number(places.has(place)));
	const bodies = groups.map((group, place) => (group === 1 ? big : small).bodies[place % small.bodies.length]);
	return { ...small, bodies, groups };
}

type Counted = Pick<GroupResult, 'latency_us' | 'histogram' | 'completed'>;

const smallOf = (result: LoadResult): Counted => result.groups[0] ?? result;
const p99Of = ({ latency_us }: Counted): number => latency_us.p99;

function rowsOf({ share, base, changed }: Pairs<LoadResult>): Row[] {
	const row = (condition: string, what: string, rounds: readonly Counted[], seconds: number): Row => {
		const latency = percentilesOf(addHistograms(rounds.map(({ histogram }) => histogram)));
		return {
			'% of peak': share * 100,
			condition,
			'answers/s': rounds.reduce((sum, { completed }) => sum + completed, 0) / seconds,
			of: what,
			'p50 ms': latency.p50 / 1000,
			'p99 ms': latency.p99 / 1000,
			'p99.9 ms': latency.p999 / 1000,
			'median of p99, ms': median(rounds.map(p99Of)) / 1000,
		};
	};
	const seconds = (rounds: readonly LoadResult[]) => rounds.reduce((sum, result) => sum + result.seconds, 0);
	const bigOf = (result: LoadResult): Counted => result.groups[1] ?? result;
	return [
		row('alone', `${SMALL} candidates`, base.map(smallOf), seconds(base)),
		row('mixed', `${SMALL} candidates`, changed.map(smallOf), seconds(changed)),
		row('mixed', `${BIG} candidates`, changed.map(bigOf), seconds(changed)),
	];
}

function chartsOf(pairs: readonly Pairs<LoadResult>[]): Answer['charts'] {
	return pairs.map(({ share, base, changed }) => {
		const series = (name: string, rounds: readonly LoadResult[]) => ({
			name,
			points: rounds.map((result, round) => ({ x: round + 1, y: p99Of(smallOf(result)) / 1000 })),
		});
		return {
			title: `p99 of ${SMALL} candidates at ${share * 100} % of the peak`,
			x: { label: 'round' },
			y: { label: 'ms from the intended send', log: true },
			series: [series('alone', base), series(`beside ${BIG.toLocaleString('en-US')} candidates`, changed)],
		};
	});
}
