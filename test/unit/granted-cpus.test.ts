/** The tightest limit of the cgroup counts. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { grantedCpus } from '../../src/config/granted-cpus.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('a quota of one and a half processors grants one', () => {
	const root = temporaryFolder({ 'cpu.max': '150000 100000\n' });
	expect(grantedCpus(root, '0::/\n')).toBe(1);
});

test('less than one processor still grants one', () => {
	expect(grantedCpus(temporaryFolder({ 'cpu.max': '5000 100000' }), '0::/')).toBe(1);
});

test('a limit of a parent holds for its children', () => {
	const root = temporaryFolder({ 'pod/cpu.max': '100000 100000', 'pod/container/cpu.max': 'max 100000' });
	expect(grantedCpus(root, '12:cpuset:/other\n0::/pod/container\n')).toBe(1);
});

test('without a limit the machine decides', () => {
	expect(grantedCpus(temporaryFolder({ 'cpu.max': 'max 100000' }), '0::/')).toBe(availableParallelism());
	expect(grantedCpus('/does/not/exist', '')).toBe(availableParallelism());
});
