/** Who kept a core busy. */
import { expect, test } from 'vitest';
import { coresOf, coreTime, type Reading, shareBetween } from '../../bench/harness/core-time.js';
import { errorCheck, generatorCheck } from '../../bench/questions/checks.js';
import { loadResult } from './support/load-result.js';

const reading = (atMs: number, cpuSeconds: number, busy: number, interrupts = 0): Reading => ({
	atMs,
	cpuSeconds,
	cores: { busy, interrupts },
});

test('what the server did not use of a busy core, others did', () => {
	expect(shareBetween(reading(1000, 5, 50), reading(3000, 6, 52))).toEqual({ server: 0.5, others: 0.5 });
});

test('interrupts of its core are the server’s, where the kernel charges them to nobody', () => {
	expect(shareBetween(reading(0, 0, 0, 0), reading(1000, 0.6, 1, 0.4))).toEqual({ server: 1, others: 0 });
});

test('nothing is counted twice where the kernel charges interrupts to the process', () => {
	expect(shareBetween(reading(0, 0, 0, 0), reading(1000, 1, 1, 0.4))).toEqual({ server: 1, others: 0 });
});

test('the kernel tells how busy the cores of this process were', () => {
	const cores = coresOf(process.pid);
	expect(cores.length).toBeGreaterThan(0);
	const { busy, interrupts } = coreTime(cores);
	expect(busy).toBeGreaterThan(0);
	expect(interrupts).toBeLessThanOrEqual(busy);
});

test('errors and missing answers fail their check, at any speed', () => {
	expect(errorCheck([loadResult({ completed: 10_000 })])).toMatchObject({ value: 0, ok: true });
	expect(errorCheck([loadResult({ completed: 98, errors: { '16': 1 }, unanswered: 1 })])).toMatchObject({ value: 0.02, ok: false });
});

test('a generator whose core is full fails its check', () => {
	const at = (generator_utilisation: number) => loadResult({ generator_utilisation });
	expect(generatorCheck([at(0.3), at(0.96)])).toMatchObject({ value: 0.96, ok: true });
	expect(generatorCheck([at(0.3), at(0.99)])).toMatchObject({ ok: false });
});
