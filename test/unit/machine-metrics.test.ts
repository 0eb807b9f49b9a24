/** The machine's numbers on a scrape. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Exposition } from '../../src/metrics/exposition.js';
import { showMachine } from '../../src/metrics/machine-metrics.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const meminfo = 'MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     400 kB\n';

test('busy processors and used memory are shown, the former since the scrape before', () => {
	const root = temporaryFolder({ meminfo, stat: 'cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 2 3 4\n' });
	const page = new Exposition();
	showMachine(page, root);
	writeFileSync(join(root, 'stat'), 'cpu  30 0 20 130 20 0 0 0 9 0\n');
	expect(Object.fromEntries(parseMetrics(page.render()))).toEqual({
		nv_cpu_utilization: 0.3,
		nv_cpu_memory_total_bytes: 1_024_000,
		nv_cpu_memory_used_bytes: 614_400,
	});
	expect(parseMetrics(page.render()).get('nv_cpu_utilization')).toBe(0);
});

test('what the kernel does not tell is absent, not zero', () => {
	const page = new Exposition();
	showMachine(page, temporaryFolder({}));
	expect([...parseMetrics(page.render()).keys()]).toEqual([]);
});
