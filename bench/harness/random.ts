/** Seeded randomness: the same seed gives the same requests and the same intervals on every machine. */

/** Uniform in [0, 1). mulberry32 by Tommy Ettinger, public domain: 32 bits of state are plenty for choosing test data. */
export function random(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** A whole number from 0 to `below` - 1. */
export const wholeBelow = (next: () => number, below: number): number => Math.floor(next() * below);

/** `count` different whole numbers from 0 to `below` - 1, in random order. @throws RangeError when there are not so many */
export function distinctBelow(next: () => number, below: number, count: number): number[] {
	if (count > below) throw new RangeError(`there are no ${count} different numbers below ${below}`);
	const chosen = new Set<number>();
	while (chosen.size < count) chosen.add(wholeBelow(next, below));
	return [...chosen];
}
