/** How long to wait before a server is tried again: doubling, capped, and random so that many clients do not come at once. */

export interface BackoffOptions {
	baseMs?: number;
	maxMs?: number;
	/** In [0, 1). */
	random?: () => number;
}

/** Delay before attempt `failures + 1`: "full jitter" between 0 and min(maxMs, baseMs * 2^(failures - 1)); 0 before the first. */
export function backoffMs(failures: number, { baseMs = 50, maxMs = 5000, random = Math.random }: BackoffOptions = {}): number {
	return failures === 0 ? 0 : random() * Math.min(maxMs, baseMs * 2 ** (failures - 1));
}
