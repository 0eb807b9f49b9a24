/** Checks that many questions share: what must hold for any of their numbers to mean something. */
import type { LoadResult } from '../harness/load.js';
import type { Check } from '../harness/question.js';

/** Errors are answered faster than work: a rate with errors in it says nothing. */
export function errorCheck(loads: readonly Pick<LoadResult, 'completed' | 'errors' | 'unanswered'>[]): Check {
	const bad = loads.reduce((sum, load) => sum + load.unanswered + Object.values(load.errors).reduce((total, count) => total + count, 0), 0);
	const good = loads.reduce((sum, { completed }) => sum + completed, 0);
	const share = bad / Math.max(1, bad + good);
	return { name: 'errors and missing answers among all', value: share, unit: 'share', target: '<= 0.001', ok: share <= 0.001 };
}

/** A generator whose core is full would be the limit itself. */
export function generatorCheck(loads: readonly Pick<LoadResult, 'generator_utilisation'>[]): Check {
	const highest = Math.max(...loads.map((load) => load.generator_utilisation));
	return { name: "the generator's core at its busiest", value: highest, unit: 'of a core', target: '< 0.97', ok: highest < 0.97 };
}
