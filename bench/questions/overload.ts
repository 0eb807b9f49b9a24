/** What becomes of a server that is asked for more than it can do: how much of its peak it still answers in time, and what that takes. */
import { catalogue } from '../../src/errors.js';
import { interleave } from '../harness/interleave.js';
import type { LoadResult, RetrySpec } from '../harness/load.js';
import { type MergedLoad, mergeLoads } from '../harness/merge-loads.js';
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { benchModel } from '../models/models.js';
import { atLeast, atMost, generatorCheck, intervalText } from './checks.js';
import { quickPeak } from './peak-of.js';
import { rankRequests, scoreRequests } from './requests.js';

const DEADLINE_MS = 50;
const SHARES = [0.5, 0.8, 1, 1.5, 2, 3];
/** These two are compared, in every round; the others are for the picture, in every fourth. */
const PEAK = 1;
const OVER = 2;
const PICTURE_EVERY = 4;
const GOODPUT_KEPT = 0.9;
/** As a careful client retries: a tenth of its requests at most, twice each. */
const RETRY: RetrySpec = { max_attempts: 3, budget: 0.1, backoff_ms: 5 };
const FEATURES = 247;
/** Asked without retries too: what these alone cost. */
const COMPARED = 'rank 200';
/** What a server under too much load is right to answer. */
const EXPECTED = [catalogue.OVERLOADED.number, catalogue.DEADLINE_EXCEEDED.number].map(String);

export const overload: Question = {
	name: 'overload',
	asks: `At twice the load it can take, with clients that retry, how much is still answered within its deadline of ${DEADLINE_MS} ms?`,
	usual: { seconds: 20, pairs: 20 },
	run,
};

interface Level {
	share: number;
	perSecond: number;
	rounds: LoadResult[];
	merged: MergedLoad;
	goodput: Estimate;
}

interface Measured {
	name: string;
	levels: Level[];
}

async function run(bench: Bench): Promise<Answer> {
	const [ranker, trees] = [await benchModel('ranker-u64', bench.progress), await benchModel('trees', bench.progress)];
	const server = await startRankd(bench, { repositories: [ranker.repository, trees.repository] });
	const measured: Measured[] = [];
	for (const { name, requests } of [
		{ name: 'rank 200', requests: rankRequests(ranker, 'u32 rows', 200) },
		{ name: 'score 8 rows', requests: scoreRequests('trees', FEATURES, 8) },
	]) {
		const options = { requests, deadlineMs: DEADLINE_MS };
		const patient = new Work(bench, server, { ...options, name: `${name}, none retried` });
		const retrying = new Work(bench, server, { ...options, name: `${name}, with retries`, retry: RETRY });
		const peak = await quickPeak(bench, patient, DEADLINE_MS);
		measured.push(await measure(bench, retrying, peak));
		if (name === COMPARED) measured.push(await measure(bench, patient, peak));
	}
	return {
		rows: measured.flatMap(({ name, levels }) => levels.map((level) => rowOf(name, level))),
		checks: [...measured.flatMap(checksOf), generatorCheck(measured.flatMap(({ levels }) => levels.map(({ merged }) => merged)))],
		charts: chartsOf(measured),
		notes: measured.map(noteOf),
	};
}

async function measure(bench: Bench, work: Work, peak: number): Promise<Measured> {
	const rounds = await interleave<LoadResult | undefined>(
		SHARES.map((share) => ({
			name: String(share),
			measure: async (round: number) => {
				if (share !== PEAK && share !== OVER && round % PICTURE_EVERY !== 0) return undefined;
				bench.progress(`round ${round + 1}: ${work.name} at ${share} x ${Math.round(peak)}/s`);
				return await work.open(share * peak, bench.seconds / bench.pairs, 1 + round);
			},
		})),
		bench.pairs,
	);
	const levels = SHARES.map((share) => {
		const results = (rounds.get(String(share)) ?? []).filter((result) => result !== undefined);
		return {
			share,
			perSecond: share * peak,
			rounds: results,
			merged: mergeLoads(results),
			goodput: medianEstimate(results.map(goodputOf)),
		};
	});
	return { name: work.name, levels };
}

/** Answers without an error and within the deadline, per second. */
const goodputOf = ({ in_time, seconds }: LoadResult): number => in_time / seconds;

const levelAt = ({ levels }: Measured, share: number): Level => levels.find((level) => level.share === share) as Level;

/** Against the best that the server did at any load, which is no less than at its peak. */
const kept = (measured: Measured): number =>
	levelAt(measured, OVER).goodput.value / Math.max(...measured.levels.map(({ goodput }) => goodput.value));

function rowOf(work: string, { share, perSecond, rounds, merged, goodput }: Level): Row {
	const shareOf = (count: number) => count / merged.intended;
	return {
		work,
		'x peak': share,
		'offered/s': perSecond,
		'goodput/s': goodput.value,
		low: goodput.low,
		high: goodput.high,
		OVERLOADED: shareOf(merged.errors[String(catalogue.OVERLOADED.number)] ?? 0),
		DEADLINE_EXCEEDED: shareOf(merged.errors[String(catalogue.DEADLINE_EXCEEDED.number)] ?? 0),
		'retries/s': median(rounds.map(({ retries, seconds }) => retries / seconds)),
		'p50 ms': merged.latency_us.p50 / 1000,
		'p99 ms': merged.latency_us.p99 / 1000,
		rounds: rounds.length,
	};
}

function checksOf(measured: Measured): Check[] {
	const { name, levels } = measured;
	const ratio = kept(measured);
	const unexplained = levels.reduce((sum, { merged: { errors, unanswered } }) => {
		const strange = Object.entries(errors).filter(([code]) => !EXPECTED.includes(code));
		return sum + unanswered + strange.reduce((total, [, count]) => total + count, 0);
	}, 0);
	return [
		atLeast(`${name}: goodput at ${OVER} x the peak`, ratio, 'of the best goodput', GOODPUT_KEPT),
		atMost(
			`${name}: p99 of what was answered at ${OVER} x the peak`,
			levelAt(measured, OVER).merged.latency_us.p99 / 1000,
			'ms',
			DEADLINE_MS,
		),
		atMost(`${name}: missing answers, and errors that load does not explain`, unexplained, 'requests', 0),
	];
}

function noteOf(measured: Measured): string {
	const goodputs = (share: number) => levelAt(measured, share).rounds.map(goodputOf);
	const ratio = pairedRatio(goodputs(OVER), goodputs(PEAK));
	return `${measured.name}: goodput at ${OVER} x against ${PEAK} x the peak in ${goodputs(OVER).length} pairs: ${intervalText(ratio)}`;
}

function chartsOf(measured: readonly Measured[]): Answer['charts'] {
	const x = { label: 'offered load, times the peak' };
	const series = (y: (level: Level) => Omit<Answer['charts'][number]['series'][number]['points'][number], 'x'>) =>
		measured.map(({ name, levels }) => ({ name, points: levels.map((level) => ({ x: level.share, ...y(level) })) }));
	const ofPeak = ({ goodput, perSecond, share }: Level) => {
		const peak = perSecond / share;
		return { y: goodput.value / peak, low: goodput.low / peak, high: goodput.high / peak };
	};
	return [
		{ title: `Answered within ${DEADLINE_MS} ms of the intended send`, x, y: { label: 'times the peak' }, series: series(ofPeak) },
		{
			title: 'p99 of what was answered',
			x,
			y: { label: 'ms from the intended send', log: true },
			series: series(({ merged }) => ({ y: merged.latency_us.p99 / 1000 })),
		},
	];
}
