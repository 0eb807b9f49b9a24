/** Which versions of a model are to serve, and under which aliases, when not everything that is published can be loaded. */
import type { Aliases, VersionPolicy } from './published-model.js';
import { compareVersions, highestVersion } from './versions.js';

/** Versions that a policy allows, newest first, and how many of them it wants. */
export interface Candidates {
	versions: string[];
	count: number;
}

export function candidatesOf(policy: VersionPolicy, published: Iterable<string>): Candidates {
	const newestFirst = [...published].sort(compareVersions).reverse();
	if ('newest' in policy) return { versions: newestFirst, count: policy.newest };
	return { versions: newestFirst.filter((version) => policy.only.includes(version)), count: Number.POSITIVE_INFINITY };
}

/**
 * An alias whose version does not serve stays with the version it had before; without one it is left out.
 * @param ready the versions that serve
 */
export function aliasesToSet(published: Aliases, before: Aliases, ready: ReadonlySet<string>): Aliases {
	const usable = Object.entries(published).map(([alias, version]) => [alias, ready.has(version) ? version : before[alias]] as const);
	return Object.fromEntries(usable.filter((entry): entry is readonly [string, string] => ready.has(entry[1] ?? '')));
}

/** Versions with an alias, and what the policy wants: each costs memory, so the rest goes. While nothing of that serves, the highest of the rest stays. */
export function versionsToKeep(aliases: Aliases, { versions, count }: Candidates, ready: ReadonlySet<string>): Set<string> {
	const wanted = versions.filter((version) => ready.has(version)).slice(0, count);
	const highest = wanted.length > 0 ? undefined : highestVersion([...ready]);
	return new Set([...Object.values(aliases), ...wanted, ...(highest === undefined ? [] : [highest])]);
}

export const sameAliases = (a: Aliases, b: Aliases): boolean =>
	Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([alias, version]) => b[alias] === version);
