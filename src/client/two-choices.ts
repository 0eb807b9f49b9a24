/** Power of two choices: nearly as even as asking for the least of all, without everyone running to the same one. */

export interface Loaded {
	readonly load: number;
}

/** The less loaded of two different random ones (Mitzenmacher 2001). @param random in [0, 1) @returns undefined for an empty list */
export function lessLoadedOfTwo<T extends Loaded>(all: readonly T[], random: () => number = Math.random): T | undefined {
	if (all.length < 2) return all[0];
	const first = Math.floor(random() * all.length);
	const step = 1 + Math.floor(random() * (all.length - 1));
	const one = all[first] as T;
	const other = all[(first + step) % all.length] as T;
	return other.load < one.load ? other : one;
}
