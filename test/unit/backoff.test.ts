/** Waiting before the next attempt doubles, is capped, and is random. */
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/client/backoff.js';

test('the first attempt does not wait', () => expect(backoffMs(0)).toBe(0));

test('the bound doubles with every failure up to the cap', () => {
	const bounds = [1, 2, 3, 4, 20].map((failures) => backoffMs(failures, { baseMs: 50, maxMs: 300, random: () => 1 }));
	expect(bounds).toEqual([50, 100, 200, 300, 300]);
});

test('anything below the bound may come', () => {
	expect(backoffMs(3, { random: () => 0 })).toBe(0);
	expect(backoffMs(3, { random: () => 0.5 })).toBe(100);
});
