/** Checks that many questions share: what must hold for any of their numbers to mean something. */
import type { LoadResult } from '../harness/load.js';
import type { Check } from '../harness/question.js';
import type { Estimate } from '../harness/statistics.js';

/** Errors are answered faster than work: a rate with errors in it says nothing. */
export function errorCheck(loads: readonly Pick<LoadResult, 'completed' | 'errors' | 'unanswered'>[]): Check {
	const bad = failuresOf(loads);
	const good = loads.reduce((sum, { completed }) => sum + completed, 0);
	return atMost('errors and missing answers among all', bad / Math.max(1, bad + good), 'share', 0.001);
}

/** Requests that ended in an error or not at all. */
export const failuresOf = (loads: readonly Pick<LoadResult, 'errors' | 'unanswered'>[]): number =>
	loads.reduce((sum, load) => sum + load.unanswered + Object.values(load.errors).reduce((total, count) => total + count, 0), 0);

/** A generator whose core is full would be the limit itself. */
export function generatorCheck(loads: readonly Pick<LoadResult, 'generator_utilisation'>[]): Check {
	const highest = Math.max(...loads.map((load) => load.generator_utilisation));
	return { name: "the generator's core at its busiest", value: highest, unit: 'of a core', target: '< 0.97', ok: highest < 0.97 };
}

/** A value with an upper bound. */
export const atMost = (name: string, value: number, unit: string, bound: number): Check => ({
	name,
	value,
	unit,
	target: `<= ${bound}`,
	ok: value <= bound,
});

/** An estimate with its interval, for a note. */
export const intervalText = ({ value, low, high }: Estimate, digits = 3): string =>
	`${value.toFixed(digits)} (95 % interval ${low.toFixed(digits)} to ${high.toFixed(digits)})`;

/** A value with a lower bound. */
export const atLeast = (name: string, value: number, unit: string, bound: number): Check => ({
	name,
	value,
	unit,
	target: `>= ${bound}`,
	ok: value >= bound,
});
