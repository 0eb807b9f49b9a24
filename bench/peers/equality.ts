/** Whether two servers did the same work: the same numbers, up to the rounding of float32 sums in another order. */
import type { Served } from './forms.js';

const TOLERANCE = 1e-4;

/** Why `served` is not what `expected` says, or undefined when it is. Items whose scores are equal may come in any order. */
export function difference(served: Served, expected: Served): string | undefined {
	if (served.values.length !== expected.values.length) return `${served.values.length} numbers instead of ${expected.values.length}`;
	if (served.ids.length !== expected.ids.length) return `${served.ids.length} ids instead of ${expected.ids.length}`;
	const wrong = served.values.findIndex((value, at) => !isNear(value, expected.values[at]));
	if (wrong >= 0) return `${served.values[wrong]} instead of ${expected.values[wrong]} at place ${wrong}`;
	const scoreOf = new Map(expected.ids.map((id, at) => [id, expected.values[at]]));
	// One that tied with the last item may have taken its place.
	const stray = served.ids.findIndex((id, at) => !isNear(served.values[at], scoreOf.get(id) ?? expected.values.at(-1)));
	return stray >= 0 ? `item ${served.ids[stray]} at place ${stray}, where ${expected.ids[stray]} belongs` : undefined;
}

const isNear = (value = Number.NaN, expected = Number.NaN): boolean => Math.abs(value - expected) <= TOLERANCE;
