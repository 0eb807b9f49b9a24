/** What the kernel grants this process and takes from it: the CPU quota, throttling and memory of its cgroup, v2 or v1. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Throttling {
	/** Quota periods in which the group ran. */
	periods: number;
	/** Of these, the ones in which it had used up its quota. */
	throttledPeriods: number;
	/** Time that its threads were kept from running, summed over processors. */
	throttledSeconds: number;
}

export interface Memory {
	/** Page cache included, as the limit counts it. */
	bytes: number;
	limitBytes: number | undefined;
}

/** The folders of one controller, from the process's own group up to the root. */
interface Hierarchy {
	isV1: boolean;
	folders: readonly string[];
}

/** v1 writes "no limit" as the largest multiple of a page. */
const UNLIMITED_BYTES = 2 ** 60;

/** Reads files when asked; what is not there is undefined. */
export class Cgroup {
	readonly #cpu: Hierarchy;
	readonly #memory: Hierarchy;

	/**
	 * @param root where cgroups are mounted
	 * @param membership the process's own groups, as `/proc/self/cgroup` tells them
	 */
	constructor(root = '/sys/fs/cgroup', membership = readText('/proc/self/cgroup')) {
		this.#cpu = hierarchyOf('cpu', root, membership);
		this.#memory = hierarchyOf('memory', root, membership);
	}

	/** Processors granted: the tightest quota on the way up holds. Undefined without one. */
	cpuLimit(): number | undefined {
		const limit = Math.min(...this.#cpu.folders.map((folder) => this.#quota(folder)));
		return Number.isFinite(limit) ? limit : undefined;
	}

	/** Counted by the kernel where the quota is set that holds. */
	throttling(): Throttling | undefined {
		const tightestFirst = [...this.#cpu.folders].sort((a, b) => compare(this.#quota(a), this.#quota(b)));
		for (const folder of tightestFirst) {
			const counts = countsOf(readText(join(folder, 'cpu.stat')));
			const { nr_periods: periods, nr_throttled: throttledPeriods = 0, throttled_usec = 0, throttled_time = 0 } = counts;
			if (periods === undefined) continue;
			return { periods, throttledPeriods, throttledSeconds: throttled_usec / 1e6 + throttled_time / 1e9 };
		}
		return undefined;
	}

	memory(): Memory | undefined {
		const { isV1, folders } = this.#memory;
		const read = (file: string) => folders.map((folder) => numberOf(readText(join(folder, file)))).filter((value) => value !== undefined);
		const [bytes] = read(isV1 ? 'memory.usage_in_bytes' : 'memory.current');
		if (bytes === undefined) return undefined;
		const limit = Math.min(...read(isV1 ? 'memory.limit_in_bytes' : 'memory.max'));
		return { bytes, limitBytes: limit < UNLIMITED_BYTES ? limit : undefined };
	}

	/** Processors by the quota of one folder. */
	#quota(folder: string): number {
		const [quota, period] = this.#cpu.isV1
			? ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((file) => numberOf(readText(join(folder, file))))
			: readText(join(folder, 'cpu.max')).trim().split(' ').map(numberOf);
		return quota !== undefined && quota > 0 && period ? quota / period : Number.POSITIVE_INFINITY;
	}
}

/** A line of the membership reads `4:cpu,cpuacct:/path` for v1 and `0::/path` for v2. */
function hierarchyOf(controller: string, root: string, membership: string): Hierarchy {
	const lines = [...membership.matchAll(/^\d+:([^:\n]*):(.*)$/gm)].map(([, controllers = '', path = '/']) => ({ controllers, path }));
	const own = lines.find(({ controllers }) => controllers.split(',').includes(controller));
	const mount = own && [own.controllers, controller].map((name) => join(root, name)).find((folder) => existsSync(folder));
	if (own && mount) return { isV1: true, folders: ancestors(own.path).map((path) => join(mount, path)) };
	const unified = lines.find(({ controllers }) => controllers === '')?.path ?? '/';
	return { isV1: false, folders: ancestors(unified).map((path) => join(root, path)) };
}

/** `/a/b` as `/a/b`, `/a`, `/`. In a container the path may be the host's: then only the root is there. */
function ancestors(path: string): string[] {
	const parts = path.split('/').filter((part) => part !== '' && part !== '..');
	return Array.from({ length: parts.length + 1 }, (_, dropped) => `/${parts.slice(0, parts.length - dropped).join('/')}`);
}

/** Lines of `name number`. */
function countsOf(text: string): Partial<Record<string, number>> {
	return Object.fromEntries([...text.matchAll(/^(\w+) (\d+)$/gm)].map(([, name, count]) => [name, Number(count)]));
}

function numberOf(text: string): number | undefined {
	return /^-?\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** Infinity - Infinity is no number. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b);

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
