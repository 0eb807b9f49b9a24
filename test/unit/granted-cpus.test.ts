/** Threads are planned for what the container may use. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { Cgroup } from '../../src/cgroup.js';
import { grantedCpus } from '../../src/config/granted-cpus.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const withQuota = (cpuMax: string) => new Cgroup(temporaryFolder({ 'cpu.max': cpuMax }), '0::/');

test('a quota of one and a half processors grants one', () => {
	expect(grantedCpus(withQuota('150000 100000\n'))).toBe(1);
});

test('less than one processor still grants one', () => {
	expect(grantedCpus(withQuota('5000 100000'))).toBe(1);
});

test('without a limit the machine decides', () => {
	expect(grantedCpus(withQuota('max 100000'))).toBe(availableParallelism());
	expect(grantedCpus(new Cgroup('/does/not/exist', ''))).toBe(availableParallelism());
});
