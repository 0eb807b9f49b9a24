/** What the measurements say: rows, checks and pictures. */
import type { LoadResult } from '../harness/load.js';
import type { MergedLoad } from '../harness/merge-loads.js';
import type { Chart, Check, Row } from '../harness/question.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import type { WorkName } from './content.js';
import { BOUND_MS, type InTime, type Measured, SHARES, type WorkMeasured } from './measure.js';

/** How far ahead of the best peer ranking is to be. */
const RANK_GOAL = 1.6;

const ratesOf = ({ closed }: Measured): number[] => closed.map(({ result }) => result.completed_per_second);

/** How many times as much rankd answers, round by round. */
export const lead = (rankd: Measured, other: Measured): Estimate => pairedRatio(ratesOf(rankd), ratesOf(other));

export function rowsOf({ rankd, others, bare }: WorkMeasured): Row[] {
	const { work } = rankd.subject;
	const nothing = Object.fromEntries(Object.keys(rowOf(rankd, rankd)).map((key) => [key, null]));
	const alone = { ...nothing, work, server: 'ONNX Runtime alone', 'in flight': '1', 'req/s': bare.runs_per_second };
	return [rankd, ...others].map((measured) => rowOf(measured, rankd)).concat([alone]);
}

function rowOf(measured: Measured, rankd: Measured): Row {
	const { subject, closed, equalLoads, inTime } = measured;
	const rate = medianEstimate(ratesOf(measured));
	const ratio = lead(rankd, measured);
	const loads = SHARES.map((share) => {
		const found = equalLoads.find((load) => load.share === share);
		const name = `p99 ms at ${share * 100} %`;
		return { [name]: p99(found?.peer), [`${name}, rankd`]: p99(found?.rankd) };
	});
	return {
		work: subject.work,
		server: subject.name,
		'in flight': subject.inFlight,
		'req/s': rate.value,
		low: rate.low,
		high: rate.high,
		'rankd is x times': ratio.value,
		'x low': ratio.low,
		'x high': ratio.high,
		...Object.assign({}, ...loads),
		[`req/s, p99 <= ${BOUND_MS} ms`]: rateInTime(inTime),
		'CPU µs': median(closed.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
		MiB: Math.max(...closed.map(({ residentBytes }) => residentBytes)) / 2 ** 20,
	};
}

const p99 = (load: MergedLoad | undefined): number | null => (load ? load.latency_us.p99 / 1000 : null);

/** @param peers those of `others` that are somebody else's servers */
export function checksOf({ rankd }: WorkMeasured, peers: readonly Measured[]): Check[] {
	const { work } = rankd.subject;
	const checks = peers.flatMap((peer) => [
		aheadCheck(`${work}: throughput of rankd over ${peer.subject.name}`, lead(rankd, peer).value, '> 1'),
		...SHARES.map((share) =>
			aheadCheck(`${work}: p99 of ${peer.subject.name} over rankd's, at ${share * 100} % of its peak`, leadInLatency(peer, share), '>= 1'),
		),
		aheadCheck(`${work}: rate with p99 <= ${BOUND_MS} ms of rankd over ${peer.subject.name}`, leadInTime(rankd, peer), '> 1'),
	]);
	if (work !== 'rank' || peers.length === 0) return checks;
	const leadOverBest = Math.min(...peers.map((peer) => lead(rankd, peer).value));
	const goal = `>= ${RANK_GOAL}`;
	return [
		...checks,
		{
			name: 'rank: throughput of rankd over the best peer',
			value: leadOverBest,
			unit: 'times',
			target: goal,
			ok: leadOverBest >= RANK_GOAL,
		},
	];
}

/** 0 for a load that could not be measured. */
function leadInLatency({ equalLoads }: Measured, share: number): number {
	return equalLoads.find((found) => found.share === share)?.lead ?? 0;
}

/** 0 when nobody could find out; a peer that is in time at no rate counts as 1/s. */
function leadInTime(rankd: Measured, peer: Measured): number {
	if (peer.inTime === 'void') return 0;
	return (rateInTime(rankd.inTime) ?? 0) / (rateInTime(peer.inTime) || 1);
}

/** null when nobody could find out. */
function rateInTime(inTime: InTime): number | null {
	if (inTime === 'void') return null;
	return inTime === 'never' ? 0 : inTime.perSecond;
}

function aheadCheck(name: string, value: number, target: '> 1' | '>= 1'): Check {
	return { name, value, unit: 'times', target, ok: target === '> 1' ? value > 1 : value >= 1 };
}

/** A peer that could not take part proves nothing. */
export const absentCheck = (name: string): Check => ({ name: `${name} took part`, value: 0, unit: 'runs', target: '>= 1', ok: false });

export function chartOf({ rankd, others }: WorkMeasured): Chart {
	return {
		title: titles[rankd.subject.work],
		x: { label: 'requests/s, Poisson arrivals', log: true },
		y: { label: 'p99 ms from the intended send', log: true },
		series: [rankd, ...others].map((measured) => ({ name: measured.subject.name, points: pointsOf(measured, others) })),
	};
}

const titles: Record<WorkName, string> = {
	infer: 'infer: one row through a small MLP',
	rank: 'rank: 200 candidates, the ten best',
	score: 'score: one row through 500 trees',
};

/** Everything that was measured of a server in an open loop; rankd was measured at all the peers' rates. */
function pointsOf(measured: Measured, others: readonly Measured[]): Chart['series'][number]['points'] {
	const isRankd = measured.subject.name === 'rankd';
	const loads = isRankd
		? others.flatMap(({ equalLoads }) => equalLoads.map(({ perSecond, rankd }) => ({ x: perSecond, y: rankd.latency_us.p99 / 1000 })))
		: measured.equalLoads.map(({ perSecond, peer }) => ({ x: perSecond, y: peer.latency_us.p99 / 1000 }));
	const tried = typeof measured.inTime === 'object' ? measured.inTime.tried : [];
	const searched = tried.flatMap(({ perSecond, p99Ms }) => (p99Ms === null ? [] : [{ x: perSecond, y: p99Ms }]));
	return [...loads, ...searched].sort((a, b) => a.x - b.x);
}

export type AnyLoad = Pick<LoadResult, 'completed' | 'errors' | 'unanswered' | 'generator_utilisation'>;

/** Every load whose figures stand in the table. */
export function loadsOf({ rankd, others }: WorkMeasured): AnyLoad[] {
	return [rankd, ...others].flatMap(({ closed, equalLoads, inTime }) => [
		...closed.map(({ result }) => result),
		...equalLoads.flatMap((load) => [load.peer, load.rankd]),
		...(typeof inTime === 'object' ? [inTime.at] : []),
	]);
}
