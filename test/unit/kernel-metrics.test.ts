/** The kernel's numbers on a scrape. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cgroup } from '../../src/cgroup.js';
import { Exposition } from '../../src/metrics/exposition.js';
import { showKernel } from '../../src/metrics/kernel-metrics.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function scrape(files: Record<string, string>): Map<string, number> {
	const root = temporaryFolder(files);
	const page = new Exposition();
	showKernel(page, new Cgroup(root, '0::/'), join(root, 'stat'));
	return parseMetrics(page.render());
}

test('quota, throttling, memory and major faults are shown', () => {
	const seen = scrape({
		'cpu.max': '50000 100000',
		'cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_usec 250000\n',
		'memory.current': '4096',
		'memory.max': '8192',
		stat: '42 (a (very) odd name) S 1 42 42 0 -1 4194304 900 1 23 7 5 6\n',
	});
	expect(Object.fromEntries(seen)).toEqual({
		rankd_cgroup_cpu_limit: 0.5,
		rankd_cgroup_cpu_periods_total: 10,
		rankd_cgroup_cpu_throttled_periods_total: 4,
		rankd_cgroup_cpu_throttled_seconds_total: 0.25,
		rankd_cgroup_memory_bytes: 4096,
		rankd_cgroup_memory_limit_bytes: 8192,
		rankd_major_faults_total: 23,
	});
});

test('what the kernel does not tell is absent, not zero', () => {
	expect([...scrape({}).keys()]).toEqual([]);
});
