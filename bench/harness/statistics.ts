/** Medians and their uncertainty. Rounds of a run are few and skewed, so intervals come from the bootstrap (Efron 1979). */
import { random, wholeBelow } from './random.js';

/** A value and the interval that holds it with 95 % confidence. */
export interface Estimate {
	value: number;
	low: number;
	high: number;
}

const RESAMPLES = 2000;
const SEED = 20_240_501;

/** The middle value, or the mean of the two in the middle. @throws RangeError without samples */
export function median(samples: readonly number[]): number {
	return quantile(samples, 0.5);
}

/** Linear between neighbours, as most statistics packages do it (Hyndman and Fan 1996, type 7). @throws RangeError without samples */
export function quantile(samples: readonly number[], q: number): number {
	if (samples.length === 0) throw new RangeError('a quantile needs at least one sample');
	const sorted = [...samples].sort((a, b) => a - b);
	const at = q * (sorted.length - 1);
	const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
	return below + (above - below) * (at - Math.floor(at));
}

/** The median of the samples. */
export function medianEstimate(samples: readonly number[], seed = SEED): Estimate {
	return bootstrap(samples, median, seed);
}

/**
 * How many times `numerators` are `denominators`: the median of the rounds' own ratios. Both were measured in the same rounds, so what
 * slowed down a whole round cancels out; a ratio of two medians would keep it.
 * @throws RangeError when the lists differ in length or are empty
 */
export function pairedRatio(numerators: readonly number[], denominators: readonly number[], seed = SEED): Estimate {
	if (numerators.length !== denominators.length) {
		throw new RangeError(`pairs need equally many samples, got ${numerators.length} and ${denominators.length}`);
	}
	const ratios = numerators.map((numerator, at) => numerator / (denominators[at] as number));
	return bootstrap(ratios, median, seed);
}

/** Percentile bootstrap of a statistic; one sample alone gives an interval of no width. */
function bootstrap(samples: readonly number[], statistic: (samples: readonly number[]) => number, seed: number): Estimate {
	const next = random(seed);
	const value = statistic(samples);
	const draws = Array.from({ length: RESAMPLES }, () => statistic(samples.map(() => samples[wholeBelow(next, samples.length)] as number)));
	return { value, low: quantile(draws, 0.025), high: quantile(draws, 0.975) };
}
