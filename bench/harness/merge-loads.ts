/** Rounds of one point as one result: histograms are added bucket by bucket, since percentiles cannot be averaged. */
import type { LoadResult, Percentiles } from './load.js';

type Histogram = LoadResult['histogram'];

export interface MergedLoad {
	seconds: number;
	intended: number;
	completed: number;
	completed_per_second: number;
	errors: Record<string, number>;
	unanswered: number;
	missed: number;
	latency_us: Percentiles;
	histogram: Histogram;
	/** The highest of any round: what shows that the generator was never the limit. */
	generator_utilisation: number;
}

/** @throws RangeError without results */
export function mergeLoads(results: readonly LoadResult[]): MergedLoad {
	if (results.length === 0) throw new RangeError('there is no result to merge');
	const sum = (value: (result: LoadResult) => number) => results.reduce((total, result) => total + value(result), 0);
	const histogram = addHistograms(results.map((result) => result.histogram));
	const completed = sum((result) => result.completed);
	const seconds = sum((result) => result.seconds);
	const errors: Record<string, number> = {};
	for (const [code, count] of results.flatMap((result) => Object.entries(result.errors))) errors[code] = (errors[code] ?? 0) + count;
	return {
		seconds,
		intended: sum((result) => result.intended),
		completed,
		completed_per_second: sum((result) => result.completed_per_second * result.seconds) / seconds,
		errors,
		unanswered: sum((result) => result.unanswered),
		missed: sum((result) => result.missed),
		latency_us: {
			...percentilesOf(histogram),
			// The generator knows these exactly, the buckets only to three digits.
			min: Math.min(...results.map(({ latency_us }) => latency_us.min)),
			max: Math.max(...results.map(({ latency_us }) => latency_us.max)),
			mean: sum((result) => result.latency_us.mean * result.completed) / Math.max(1, completed),
		},
		histogram,
		generator_utilisation: Math.max(...results.map((result) => result.generator_utilisation)),
	};
}

/** Buckets of the same value become one, in rising order. */
export function addHistograms(histograms: readonly Histogram[]): Histogram {
	const counts = new Map<number, number>();
	for (const [value, count] of histograms.flat()) counts.set(value, (counts.get(value) ?? 0) + count);
	return [...counts].sort(([a], [b]) => a - b);
}

/** How many took so long at most. */
export const countWithin = (histogram: Histogram, us: number): number =>
	histogram.reduce((sum, [value, count]) => sum + (value <= us ? count : 0), 0);

/** The smallest bucket that holds the asked share of all values or passes it. */
export function percentilesOf(histogram: Histogram): Percentiles {
	const total = histogram.reduce((sum, [, count]) => sum + count, 0);
	const at = (share: number) => {
		let seen = 0;
		const found = histogram.find(([, count]) => {
			seen += count;
			return seen >= share * total;
		});
		return found?.[0] ?? 0;
	};
	return {
		min: histogram[0]?.[0] ?? 0,
		mean: histogram.reduce((sum, [value, count]) => sum + value * count, 0) / Math.max(1, total),
		p50: at(0.5),
		p90: at(0.9),
		p95: at(0.95),
		p99: at(0.99),
		p999: at(0.999),
		max: histogram.at(-1)?.[0] ?? 0,
	};
}
