/** Alternatives take turns, forwards and backwards, so that a machine that drifts is unfair to none of them. */

export interface Alternative<T> {
	readonly name: string;
	/** One round, numbered from 0. */
	measure(round: number): Promise<T>;
}

/**
 * With two alternatives the order is A B, B A, A B, …
 * @returns each alternative's results, round by round, by its name
 */
export async function interleave<T>(alternatives: readonly Alternative<T>[], rounds: number): Promise<Map<string, T[]>> {
	const results = new Map<string, T[]>(alternatives.map(({ name }) => [name, []]));
	for (let round = 0; round < rounds; round++) {
		const order = round % 2 === 0 ? alternatives : alternatives.toReversed();
		for (const alternative of order) results.get(alternative.name)?.push(await alternative.measure(round));
	}
	return results;
}
