/** What the kernel tells of this process: quota, throttling and memory of its cgroup, and pages it had to read from disk. */
import { readFileSync } from 'node:fs';
import type { Cgroup } from '../cgroup.js';
import type { Exposition, Read } from './exposition.js';

/** Without labels; absent where the kernel does not tell. */
const one =
	(read: () => number | undefined): Read =>
	() => {
		const value = read();
		return value === undefined ? [] : [[{}, value]];
	};

export function showKernel(page: Exposition, cgroup: Cgroup, statFile = '/proc/self/stat'): void {
	const gauge = (name: string, help: string, read: () => number | undefined) => page.gauge(name, help, one(read));
	const counter = (name: string, help: string, read: () => number | undefined) => page.counter(name, help, one(read));
	const throttling = page.once(() => cgroup.throttling());
	const memory = page.once(() => cgroup.memory());
	gauge('rankd_cgroup_cpu_limit', 'processors that the cgroup grants; absent without a limit', () => cgroup.cpuLimit());
	counter('rankd_cgroup_cpu_periods_total', 'quota periods in which the cgroup ran', () => throttling()?.periods);
	counter(
		'rankd_cgroup_cpu_throttled_periods_total',
		'of these, the ones in which it ran out of quota',
		() => throttling()?.throttledPeriods,
	);
	counter('rankd_cgroup_cpu_throttled_seconds_total', 'time its threads were kept from running', () => throttling()?.throttledSeconds);
	gauge('rankd_cgroup_memory_bytes', 'memory that counts towards the limit, page cache included', () => memory()?.bytes);
	gauge('rankd_cgroup_memory_limit_bytes', 'memory that the cgroup may use; absent without a limit', () => memory()?.limitBytes);
	counter('rankd_major_faults_total', 'pages that had to be read from disk while a thread waited', () => majorFaults(statFile));
}

/** The twelfth field; the second, the program's name in parentheses, may hold spaces. */
function majorFaults(statFile: string): number | undefined {
	try {
		const stat = readFileSync(statFile, 'utf8');
		const count = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[9];
		return count === undefined ? undefined : Number(count);
	} catch {
		return undefined;
	}
}
