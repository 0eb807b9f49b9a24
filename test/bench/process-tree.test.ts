/** What /proc tells of a process. */
import { expect, test } from 'vitest';
import { threadSeconds } from '../../bench/harness/process-tree.js';

test('CPU time of threads grows with what a process computes, far finer than a tick', () => {
	const before = threadSeconds(process.pid);
	const start = process.cpuUsage();
	const used = () => Object.values(process.cpuUsage(start)).reduce((sum, us) => sum + us, 0);
	while (used() < 5_000) {
		// Computes for 5 ms, half a tick of /proc/<pid>/stat.
	}
	expect(threadSeconds(process.pid) - before).toBeGreaterThan(0.004);
});

test('a process that has ended is no measurement', () => {
	expect(() => threadSeconds(2 ** 30)).toThrow('does not count the CPU time');
});
