/** How many processors this process may use: a container's limit counts, not the machine's size. */
import { availableParallelism } from 'node:os';
import { Cgroup } from '../cgroup.js';

/** Whole processors granted by the cgroup's quota and the affinity mask, whichever is less; at least 1. */
export function grantedCpus(cgroup = new Cgroup()): number {
	return Math.max(1, Math.floor(Math.min(availableParallelism(), cgroup.cpuLimit() ?? Number.POSITIVE_INFINITY)));
}
