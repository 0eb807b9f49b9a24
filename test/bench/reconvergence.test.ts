/** When a server counts as settled after a change. */
import { expect, test } from 'vitest';
import { settledAfterMs } from '../../bench/questions/reconvergence.js';
import { loadResult } from './support/load-result.js';

/** A timeline of one p99 in ms per tenth of a second; null: nothing was answered. */
const round = (changedAtMs: number, ...p99s: (number | null)[]) => ({
	changedAtMs,
	result: loadResult({
		timeline: p99s.map((p99, at) => {
			const us = (p99 ?? 0) * 1000;
			return { at_ms: at * 100, completed: p99 === null ? 0 : 5, errors: 0, p50_us: us, p99_us: us, max_us: us };
		}),
	}),
});

test('a server that keeps its promise through the change is settled at once, whatever was before', () => {
	expect(settledAfterMs(round(200, 90, 90, 5, 5, 5), 20)).toBe(0);
});

test('time counts from the change to the first step from which on the promise is kept', () => {
	expect(settledAfterMs(round(100, 5, 80, 60, 5, 5, 5), 20)).toBe(200);
});

test('one step in ten may be the machine’s', () => {
	expect(settledAfterMs(round(0, 50, ...Array<number>(5).fill(5), 70, ...Array<number>(5).fill(5)), 20)).toBe(100);
	expect(settledAfterMs(round(0, 50, 5, 5, 70, 5, 5, 5), 20)).toBe(400);
});

test('silence is no kept promise, and what never settles took as long as was measured', () => {
	expect(settledAfterMs(round(0, null, null, 5), 20)).toBe(200);
	expect(settledAfterMs(round(0, 50, 50, 50), 20)).toBe(300);
});
