/** The peak of a stream of requests: the highest rate of Poisson arrivals that is answered within a bound. */
import type { LoadResult } from '../harness/load.js';
import { findPeak, type Peak } from '../harness/peak.js';
import type { Bench } from '../harness/question.js';
import type { Work } from '../harness/work.js';

/** What questions promise that name no other bound. */
export const BOUND_MS = 20;
/** Long enough for a p99, short enough that the search of a question with many rounds stays a small part of it. */
const SEARCH_S = { least: 1.5, most: 4 };
/** A closed loop's own queue makes it a little faster than arrivals at random can be answered in time. */
const FIRST_SHARE = 0.85;

interface PeakOptions {
	boundMs?: number;
	/** Of each rate that is tried. Default: a quarter of the question's own. */
	seconds?: number;
}

/** @param closedPerSecond where the search begins: what a closed loop reached */
export async function peakOf(bench: Bench, work: Work, closedPerSecond: number, options: PeakOptions = {}): Promise<Peak<LoadResult>> {
	const { boundMs = BOUND_MS, seconds = Math.min(SEARCH_S.most, Math.max(SEARCH_S.least, bench.seconds / 4)) } = options;
	let seed = 1;
	const peak = await findPeak({
		boundMs,
		guess: FIRST_SHARE * closedPerSecond,
		measure: (perSecond) => {
			bench.progress(`${work.name}, open loop at ${Math.round(perSecond)}/s`);
			return work.open(perSecond, seconds, seed++);
		},
	});
	const unmeasured = peak.tried.filter(({ p99Ms }) => p99Ms === null).length;
	if (unmeasured > 0) bench.note(`${work.name}: ${unmeasured} of ${peak.tried.length} rates could not be measured: its peak may be higher`);
	return peak;
}

/** The peak alone, quickly: for questions that measure at shares of it, round after round. */
export async function quickPeak(bench: Bench, work: Work, boundMs = BOUND_MS): Promise<number> {
	bench.progress(`${work.name}: looking for the peak`);
	const { result } = await work.closed(1);
	const { perSecond } = await peakOf(bench, work, result.completed_per_second, { boundMs, seconds: SEARCH_S.least });
	return perSecond;
}
