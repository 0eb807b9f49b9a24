/** Rounds become one result as if they had been one run. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addHistograms, countWithin, mergeLoads, percentilesOf } from '../../bench/harness/merge-loads.js';
import { loadResult } from './support/load-result.js';

const values = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 });
const histogramOf = (list: readonly number[]): [number, number][] =>
	[...new Set(list)].sort((a, b) => a - b).map((value) => [value, list.filter((other) => other === value).length]);

test('percentiles of a histogram are those of the values written out one by one', () => {
	fc.assert(
		fc.property(values, (list) => {
			const sorted = [...list].sort((a, b) => a - b);
			const obvious = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)];
			const found = percentilesOf(histogramOf(list));
			expect(found).toMatchObject({ min: sorted[0], max: sorted.at(-1), p50: obvious(0.5), p90: obvious(0.9), p99: obvious(0.99) });
		}),
	);
});

test('adding histograms is the histogram of all values', () => {
	fc.assert(
		fc.property(values, values, (left, right) => {
			expect(addHistograms([histogramOf(left), histogramOf(right)])).toEqual(histogramOf([...left, ...right]));
		}),
	);
});

test('merged p99 is not the mean of the rounds: one slow round of a hundred fast ones shows as it is', () => {
	const fast = loadResult({ completed: 1000, histogram: [[100, 1000]] });
	const slow = loadResult({ completed: 10, histogram: [[50_000, 10]] });
	expect(mergeLoads([fast, fast, slow]).latency_us.p99).toBe(100);
	expect(mergeLoads([slow, slow, fast]).latency_us.p99).toBe(50_000);
});

test('counts and errors are added, rates are of the whole time, the generator is told at its busiest', () => {
	const merged = mergeLoads([
		loadResult({ seconds: 1, completed: 100, errors: { '16': 2 }, unanswered: 1, generator_utilisation: 0.2 }),
		loadResult({
			seconds: 3,
			completed: 500,
			completed_per_second: 160,
			errors: { '16': 1, CONNECTION_LOST: 4 },
			generator_utilisation: 0.7,
		}),
	]);
	expect(merged).toMatchObject({
		seconds: 4,
		completed: 600,
		completed_per_second: 145,
		errors: { '16': 3, CONNECTION_LOST: 4 },
		unanswered: 1,
		generator_utilisation: 0.7,
	});
});

test('nothing cannot be merged', () => expect(() => mergeLoads([])).toThrow('no result'));

test('what is within a bound are the buckets up to it', () => {
	const histogram: [number, number][] = [
		[10, 2],
		[20, 3],
		[30, 4],
	];
	expect([5, 10, 29, 30].map((us) => countWithin(histogram, us))).toEqual([0, 2, 5, 9]);
});
