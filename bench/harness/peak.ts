/** How much a server can take: the highest rate of arrivals that it answers in time. */
import { Unmeasurable } from './failures.js';
import type { LoadResult } from './load.js';

/** What a point is judged by. */
export type Point = Pick<LoadResult, 'intended' | 'completed'> & { latency_us: { p99: number } };

export interface PeakSearch<P extends Point> {
	/** Offers that rate, open loop. May throw Unmeasurable: the rate counts as too high. */
	measure: (perSecond: number) => Promise<P>;
	/** p99 counts from the intended send. */
	boundMs: number;
	/** Where to begin, for example what a closed loop reached. */
	guess: number;
	/** The answer is this close to the nearest rate that failed. Default 0.03. */
	precision?: number;
}

export interface Peak<P extends Point> {
	perSecond: number;
	/** The point measured at the peak. */
	at: P;
	tried: { perSecond: number; ok: boolean; p99Ms: number | null }[];
}

/** Enough of what was sent must come back: a server that drops half answers the rest quickly. */
const COMPLETED_SHARE = 0.99;
/** So many rates in a row that cannot be measured, the first ones of all, are no fault of the server. */
const HOPELESS = 3;
const FIRST_STEP = 1.2;
const LOWEST_SHARE = 0.02;

export const isInTime = ({ intended, completed, latency_us }: Point, boundMs: number): boolean =>
	completed >= COMPLETED_SHARE * intended && latency_us.p99 <= boundMs * 1000;

/** The highest rate that passed and the lowest that failed above it. */
interface Bracket<P> {
	good: number;
	at: P;
	bad: number;
}

/** Resolves to the point when the rate was answered in time. */
type Attempt<P> = (perSecond: number) => Promise<P | undefined>;

/**
 * Brackets the peak from the guess, then halves the bracket. The winner must pass a second time: one lucky run is no peak.
 * @throws Unmeasurable when even a fiftieth of the guess is not answered in time, or nothing can be measured from the start
 */
export async function findPeak<P extends Point>(search: PeakSearch<P>): Promise<Peak<P>> {
	const { boundMs, guess, precision = 0.03 } = search;
	const tried: Peak<P>['tried'] = [];
	const attempt: Attempt<P> = async (perSecond) => {
		const point = await measured(search, perSecond, tried);
		const ok = point !== undefined && isInTime(point, boundMs);
		tried.push({ perSecond, ok, p99Ms: point ? point.latency_us.p99 / 1000 : null });
		return ok ? point : undefined;
	};
	const lowest = guess * LOWEST_SHARE;
	const first = await attempt(guess);
	let bracket = first ? await upFrom(attempt, guess, first) : await downFrom(attempt, guess, FIRST_STEP, lowest);
	for (;;) {
		bracket = await halved(attempt, bracket, precision);
		const again = await attempt(bracket.good);
		if (again) return { perSecond: bracket.good, at: again, tried };
		bracket = await downFrom(attempt, bracket.good, 1 + precision, lowest);
	}
}

/** A rate that cannot even be measured, for example because the generator falls behind, is too high. */
async function measured<P extends Point>({ measure }: PeakSearch<P>, perSecond: number, tried: Peak<P>['tried']): Promise<P | undefined> {
	try {
		return await measure(perSecond);
	} catch (error) {
		const isHopeless = tried.length + 1 >= HOPELESS && tried.every(({ p99Ms }) => p99Ms === null);
		if (error instanceof Unmeasurable && !isHopeless) return undefined;
		throw error;
	}
}

async function upFrom<P>(attempt: Attempt<P>, good: number, at: P): Promise<Bracket<P>> {
	const higher = good * FIRST_STEP;
	const point = await attempt(higher);
	return point ? await upFrom(attempt, higher, point) : { good, at, bad: higher };
}

async function downFrom<P>(attempt: Attempt<P>, bad: number, step: number, lowest: number): Promise<Bracket<P>> {
	const lower = Math.max(lowest, bad / step);
	if (bad <= lowest) throw new Unmeasurable(`not even ${Math.round(bad)} requests per second are answered in time`);
	const point = await attempt(lower);
	return point ? { good: lower, at: point, bad } : await downFrom(attempt, lower, step * step, lowest);
}

async function halved<P>(attempt: Attempt<P>, { good, at, bad }: Bracket<P>, precision: number): Promise<Bracket<P>> {
	if (bad / good <= 1 + precision) return { good, at, bad };
	const middle = Math.sqrt(good * bad);
	const point = await attempt(middle);
	return await halved(attempt, point ? { good: middle, at: point, bad } : { good, at, bad: middle }, precision);
}
