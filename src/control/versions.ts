/** Versions `major.minor.patch`: which folder names are one, and which is the highest. */

export const isVersion = (name: string): boolean => /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$/.test(name);

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
	const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
	const at = left.findIndex((part, place) => part !== right[place]);
	return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

export const highestVersion = (versions: readonly string[]): string | undefined => [...versions].sort(compareVersions).at(-1);
