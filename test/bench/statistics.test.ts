/** Medians, quantiles and bootstrap intervals, against slow and obvious versions. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../bench/harness/random.js';
import { median, medianEstimate, pairedRatio, quantile } from '../../bench/harness/statistics.js';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

/** As many samples lie at or below as at or above it, and it is one of them or between two. */
function obviousMedian(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	while (sorted.length > 2) {
		sorted.pop();
		sorted.shift();
	}
	return sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
}

describe('quantiles', () => {
	test('the median is what is left when extremes are struck off in pairs', () => {
		fc.assert(
			fc.property(samples, (values) => {
				expect(median(values)).toBeCloseTo(obviousMedian(values), 6);
			}),
		);
	});

	test('the quantiles of 0 to 100 are the percent themselves', () => {
		const percents = Array.from({ length: 101 }, (_, at) => at).reverse();
		for (const q of [0, 0.05, 0.25, 0.5, 0.99, 1]) expect(quantile(percents, q)).toBeCloseTo(100 * q, 9);
	});

	test('no samples are refused', () => expect(() => median([])).toThrow('at least one sample'));
});

describe('bootstrap intervals', () => {
	test('the interval holds the median and stays within the samples', () => {
		fc.assert(
			fc.property(samples, (values) => {
				const { value, low, high } = medianEstimate(values);
				expect(low).toBeLessThanOrEqual(value);
				expect(high).toBeGreaterThanOrEqual(value);
				expect(low).toBeGreaterThanOrEqual(Math.min(...values));
				expect(high).toBeLessThanOrEqual(Math.max(...values));
			}),
			{ numRuns: 20 },
		);
	});

	test('the same samples give the same interval', () => expect(medianEstimate([3, 1, 4, 1, 5])).toEqual(medianEstimate([3, 1, 4, 1, 5])));

	test('about 95 of 100 intervals hold the true median', () => {
		const next = random(7);
		const held = Array.from({ length: 100 }, () => medianEstimate(Array.from({ length: 25 }, next))).filter(
			({ low, high }) => low <= 0.5 && high >= 0.5,
		);
		expect(held.length).toBeGreaterThanOrEqual(88);
	});

	test('one sample alone has an interval of no width', () => expect(medianEstimate([42])).toEqual({ value: 42, low: 42, high: 42 }));
});

describe('ratios of pairs', () => {
	test('what slows down a whole round cancels out', () => {
		const drift = [1, 0.5, 2, 0.1, 7];
		const ratio = pairedRatio(
			drift.map((factor) => 300 * factor),
			drift.map((factor) => 200 * factor),
		);
		expect(ratio.value).toBeCloseTo(1.5, 12);
		expect(ratio.high - ratio.low).toBeCloseTo(0, 12);
	});

	test('lists of different length are no pairs', () => expect(() => pairedRatio([1, 2], [1])).toThrow('got 2 and 1'));
});
