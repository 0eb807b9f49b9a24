/** Retries are a share of the requests, and a few in any case. */
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DecayingSum } from '../../src/client/decaying-sum.js';
import { RetryBudget } from '../../src/client/retry-budget.js';

beforeEach(() => {
	vi.useFakeTimers({ toFake: ['performance'] });
	onTestFinished(() => {
		vi.useRealTimers();
	});
});

/** @returns how many of so many retries are allowed */
const withdraw = (budget: RetryBudget, times: number) => Array.from({ length: times }, () => budget.withdraw()).filter(Boolean).length;

describe('a sum that forgets', () => {
	test('what was added counts in full at first, by 1/e after its memory, and by nothing in the end', () => {
		const sum = new DecayingSum(1000);
		sum.add(2);
		expect(sum.value).toBe(2);
		vi.advanceTimersByTime(1000);
		expect(sum.value).toBeCloseTo(2 / Math.E);
		vi.advanceTimersByTime(100_000);
		expect(sum.value).toBeCloseTo(0);
	});

	test('however often it is read, it forgets the same', () => {
		const [read, unread] = [new DecayingSum(1000), new DecayingSum(1000)];
		for (const sum of [read, unread]) sum.add(1);
		for (let ms = 0; ms < 500; ms += 10) {
			vi.advanceTimersByTime(10);
			read.value;
		}
		expect(read.value).toBeCloseTo(unread.value);
	});
});

describe('the budget', () => {
	test('a client without traffic may retry three times a second', () => {
		const budget = new RetryBudget({ ratio: 0 });
		withdraw(budget, 1000);
		let allowed = 0;
		for (let second = 0; second < 100; second++) {
			vi.advanceTimersByTime(1000);
			allowed += withdraw(budget, 100);
		}
		expect(allowed).toBeGreaterThanOrEqual(200);
		expect(allowed).toBeLessThanOrEqual(300);
	});

	test('with traffic, the ratio of it comes on top', () => {
		const budget = new RetryBudget({ ratio: 0.25, minPerSecond: 0 });
		for (let request = 0; request < 100; request++) budget.deposit();
		expect(withdraw(budget, 100)).toBe(25);
	});

	test('what a calm time has saved is forgotten', () => {
		const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 0 });
		for (let request = 0; request < 10_000; request++) budget.deposit();
		vi.advanceTimersByTime(600_000);
		expect(withdraw(budget, 1000)).toBe(0);
	});

	test('whatever the order of requests, retries and pauses, the retries stay within the ratio and the minimum', () => {
		const step = fc.oneof(
			fc.record({ requests: fc.nat(200) }),
			fc.record({ retries: fc.nat(200) }),
			fc.record({ pauseMs: fc.nat(5000) }),
		) as fc.Arbitrary<{ requests?: number; retries?: number; pauseMs?: number }>;
		fc.assert(
			fc.property(fc.array(step), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20), (steps, ratio, minPerSecond) => {
				const budget = new RetryBudget({ ratio, minPerSecond });
				// It begins with what the minimum saves up.
				let allowed = 10 * minPerSecond;
				let granted = 0;
				for (const { requests = 0, retries = 0, pauseMs = 0 } of steps) {
					for (let request = 0; request < requests; request++) budget.deposit();
					granted += withdraw(budget, retries);
					vi.advanceTimersByTime(pauseMs);
					allowed += ratio * requests + (minPerSecond * pauseMs) / 1000;
					expect(granted).toBeLessThanOrEqual(allowed + 1e-6);
				}
			}),
		);
	});
});
