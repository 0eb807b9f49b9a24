/** How many processors this process may use: a container's limit counts, not the machine's size. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/**
 * Whole processors granted by the cgroup (v2, every level up to the root) and the affinity mask; at least 1.
 * @param root where cgroups are mounted
 * @param membership the process's own line of cgroup v2, `0::/path`
 */
export function grantedCpus(root = '/sys/fs/cgroup', membership = readText('/proc/self/cgroup')): number {
	const path = membership.match(/^0::(.*)$/m)?.[1] ?? '/';
	const limits = ancestors(path).map((folder) => quotaOf(readText(join(root, folder, 'cpu.max'))));
	return Math.max(1, Math.floor(Math.min(availableParallelism(), ...limits)));
}

/** `/a/b` as `/a/b`, `/a`, `/`: the tightest limit on the way up holds. */
function ancestors(path: string): string[] {
	const parts = path.split('/').filter((part) => part !== '' && part !== '..');
	return Array.from({ length: parts.length + 1 }, (_, dropped) => `/${parts.slice(0, parts.length - dropped).join('/')}`);
}

/** `cpu.max` reads `<quota µs> <period µs>` or `max <period µs>`. */
function quotaOf(cpuMax: string): number {
	const [quota, period] = cpuMax.trim().split(' ').map(Number);
	return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
