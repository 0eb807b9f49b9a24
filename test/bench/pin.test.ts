/** Which cores are used, and what is said when they cannot be chosen. */
import { expect, test } from 'vitest';
import { UsageError } from '../../bench/harness/failures.js';
import { choosePinning, parseCpuList } from '../../bench/harness/pin.js';
import { shareCores } from '../../bench/questions/threads.js';

test('lists of cores are read as the kernel writes them', () => {
	expect(parseCpuList('0')).toEqual([0]);
	expect(parseCpuList('0-2,5,8-9')).toEqual([0, 1, 2, 5, 8, 9]);
});

test('the server gets the first core granted and the generator the second', () => {
	const pinning = choosePinning(undefined, { allowed: [4, 6, 7], hasTaskset: true });
	expect(pinning).toMatchObject({ server: 4, load: 6, notes: [] });
	expect(pinning.pinned(['node', 'x'], [4])).toEqual(['taskset', '-c', '4', 'node', 'x']);
});

test('on one core both share it, and the result says so', () => {
	const { server, load, notes } = choosePinning(undefined, { allowed: [3], hasTaskset: true });
	expect([server, load]).toEqual([3, 3]);
	expect(notes.join()).toContain('share core 3');
});

test('without taskset nothing is pinned, and the result says so', () => {
	const pinning = choosePinning(undefined, { allowed: [0, 1], hasTaskset: false });
	expect(pinning.pinned(['node', 'x'], [0])).toEqual(['node', 'x']);
	expect(pinning.notes.join()).toContain('taskset is not installed');
});

test('a core that was not granted is a usage error', () => {
	expect(() => choosePinning([0, 9], { allowed: [0, 1], hasTaskset: true })).toThrow(UsageError);
});

test('where there are three cores, the question of threads leaves one to the generator', () => {
	expect(shareCores([0, 1, 2, 3])).toMatchObject({ server: [0, 1, 2], load: [3] });
	expect(shareCores([0, 1])).toMatchObject({ server: [0, 1], load: [0, 1] });
	expect(shareCores([0, 1]).note).toContain('disturb each other');
});
