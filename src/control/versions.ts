/** Versions: `major.minor.patch` of our bundles, whole numbers in Triton's layout. Which folder names are one, and which is the highest. */

export const isBundleVersion = (name: string): boolean => /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$/.test(name);

/** As Triton has them: digits alone, from 1, without a zero in front. */
export const isTritonVersion = (name: string): boolean => /^[1-9]\d{0,14}$/.test(name);

export const isVersion = (name: string): boolean => isBundleVersion(name) || isTritonVersion(name);

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
	const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
	const at = left.findIndex((part, place) => part !== right[place]);
	return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

export const highestVersion = (versions: readonly string[]): string | undefined => [...versions].sort(compareVersions).at(-1);
