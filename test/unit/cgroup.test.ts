/** The kernel's files as they lie in pods, in nested groups and on machines of the old kind, and where they are missing. */
import { describe, expect, test } from 'vitest';
import { Cgroup } from '../../src/cgroup.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const stat = (periods: number, throttled: number, usec: number) =>
	`usage_usec 99\nnr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_usec ${usec}\n`;

describe('version 2', () => {
	test('a pod sees its own group as the root', () => {
		const root = temporaryFolder({
			'cpu.max': '150000 100000\n',
			'cpu.stat': stat(1000, 40, 2_500_000),
			'memory.current': '1048576\n',
			'memory.max': '4194304\n',
		});
		const group = new Cgroup(root, '0::/\n');
		expect(group.cpuLimit()).toBe(1.5);
		expect(group.throttling()).toEqual({ periods: 1000, throttledPeriods: 40, throttledSeconds: 2.5 });
		expect(group.memory()).toEqual({ bytes: 1048576, limitBytes: 4194304 });
	});

	test('the tightest limit on the way up holds, and throttling is read where it is set', () => {
		const root = temporaryFolder({
			'pod/cpu.max': '100000 100000',
			'pod/cpu.stat': stat(10, 7, 1000),
			'pod/memory.max': '100',
			'pod/container/cpu.max': 'max 100000',
			'pod/container/cpu.stat': stat(0, 0, 0),
			'pod/container/memory.current': '60',
			'pod/container/memory.max': 'max',
		});
		const group = new Cgroup(root, '12:cpuset:/other\n0::/pod/container\n');
		expect(group.cpuLimit()).toBe(1);
		expect(group.throttling()?.throttledPeriods).toBe(7);
		expect(group.memory()).toEqual({ bytes: 60, limitBytes: 100 });
	});

	test('without limits there is usage alone', () => {
		const root = temporaryFolder({ 'cpu.max': 'max 100000', 'cpu.stat': 'usage_usec 5\n', 'memory.current': '7', 'memory.max': 'max' });
		const group = new Cgroup(root, '0::/');
		expect(group.cpuLimit()).toBeUndefined();
		expect(group.throttling()).toBeUndefined();
		expect(group.memory()).toEqual({ bytes: 7, limitBytes: undefined });
	});
});

describe('version 1', () => {
	const files = {
		'cpu,cpuacct/cpu.cfs_quota_us': '250000\n',
		'cpu,cpuacct/cpu.cfs_period_us': '100000\n',
		'cpu,cpuacct/cpu.stat': 'nr_periods 8\nnr_throttled 3\nthrottled_time 1500000000\n',
		'memory/memory.usage_in_bytes': '2048',
		'memory/memory.limit_in_bytes': '9223372036854771712',
		'memory/docker/abc/memory.usage_in_bytes': '1024',
		'memory/docker/abc/memory.limit_in_bytes': '8192',
	};

	test("a container that is told its host's path finds its own group at the root", () => {
		const group = new Cgroup(temporaryFolder(files), '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n');
		expect(group.cpuLimit()).toBe(2.5);
		expect(group.throttling()).toEqual({ periods: 8, throttledPeriods: 3, throttledSeconds: 1.5 });
		expect(group.memory()).toEqual({ bytes: 1024, limitBytes: 8192 });
	});

	test('a quota of -1 and a limit near 2^63 are none', () => {
		const root = temporaryFolder({ ...files, 'cpu,cpuacct/cpu.cfs_quota_us': '-1' });
		const group = new Cgroup(root, '5:memory:/\n4:cpu,cpuacct:/\n');
		expect(group.cpuLimit()).toBeUndefined();
		expect(group.memory()?.limitBytes).toBeUndefined();
	});

	test('a controller mounted under its own name alone is found', () => {
		const root = temporaryFolder({ 'cpu/cpu.cfs_quota_us': '50000', 'cpu/cpu.cfs_period_us': '100000' });
		expect(new Cgroup(root, '1:cpu:/\n0::/\n').cpuLimit()).toBe(0.5);
	});
});

test.each([
	['no files', {}, '0::/pod'],
	['no membership', {}, ''],
	['files that say something else', { 'cpu.max': 'soon', 'cpu.stat': 'nr_periods many', 'memory.current': '' }, '0::/'],
])('%s: nothing is told', (_, files, membership) => {
	const group = new Cgroup(temporaryFolder(files), membership);
	expect([group.cpuLimit(), group.throttling(), group.memory()]).toEqual([undefined, undefined, undefined]);
});

test('the group of this very process can be read', () => {
	const group = new Cgroup();
	expect(() => [group.cpuLimit(), group.throttling(), group.memory()]).not.toThrow();
});
