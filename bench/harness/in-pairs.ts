/** Two conditions side by side at shares of a peak, in turns: how many times the second is the first. */
import { interleave } from './interleave.js';

export interface Pairs<T> {
	share: number;
	/** Round by round. */
	base: T[];
	changed: T[];
}

export interface Conditions<T> {
	base: (share: number, round: number) => Promise<T>;
	changed: (share: number, round: number) => Promise<T>;
}

/** All shares take turns too, so that each meets the whole run's drift. */
export async function inPairs<T>(shares: readonly number[], rounds: number, conditions: Conditions<T>): Promise<Pairs<T>[]> {
	const alternatives = shares.flatMap((share) =>
		(['base', 'changed'] as const).map((name) => ({
			name: `${name} ${share}`,
			measure: (round: number) => conditions[name](share, round),
		})),
	);
	const results = await interleave(alternatives, rounds);
	return shares.map((share) => ({
		share,
		base: results.get(`base ${share}`) ?? [],
		changed: results.get(`changed ${share}`) ?? [],
	}));
}
