/** One call on a fake clock: when it is sent again, where, how often, and that it always ends once. */
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { random } from '../../bench/harness/random.js';
import type { Attempt } from '../../src/client/attempt.js';
import { Call, type CallContext } from '../../src/client/call.js';
import { encodeBody, type WireAnswer } from '../../src/client/codec.js';
import { RetryPolicy } from '../../src/client/retry-policy.js';
import { EngineError, type ErrorCode } from '../../src/errors.js';
import { Operation } from '../../src/native/addon.js';
import { FakePool } from '../support/fake-pool.js';

beforeEach(() => {
	vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
	onTestFinished(() => {
		vi.useRealTimers();
	});
});

interface Setup {
	attempts?: number;
	budget?: number;
	deadlineMs?: number;
	hedgeAfterMs?: number;
	operation?: Operation;
	random?: () => number;
}

function begin({
	attempts = 3,
	budget = 0.2,
	deadlineMs = 0,
	hedgeAfterMs,
	operation = Operation.recommend,
	random = () => 1,
}: Setup = {}) {
	const pool = new FakePool();
	const policy = new RetryPolicy({ attempts, budget, random });
	const context: CallContext = { pool, policy, calls: new Set(), hedgeAfterMs };
	const request = { operation, target: 'tiny', priority: 0, rows: 0, body: encodeBody({}) };
	const parts: WireAnswer[] = [];
	const ends: (EngineError | undefined)[] = [];
	const caller = { part: (body: WireAnswer) => parts.push(body), end: (error?: EngineError) => ends.push(error) };
	const call = new Call(context, request, { deadlineMs, signal: undefined }, caller);
	return { pool, policy, call, parts, ends, calls: context.calls };
}

const body = { model: 'tiny' } as WireAnswer;
const answer = (attempt: Attempt, seq = 0, isLast = true) => attempt.receive({ id: attempt.id, error: undefined, seq, isLast, body });
const fail = (attempt: Attempt, code: ErrorCode, retryAfterMs?: number) =>
	attempt.fail(new EngineError(code, `it was ${code}`, { retryAfterMs }));

describe('retries', () => {
	test('a failure that may pass is tried again elsewhere, after a wait that doubles', () => {
		const { call, pool, parts, ends } = begin();
		call.start();
		fail(pool.attempt(0), 'CONNECTION_LOST');
		vi.advanceTimersByTime(10);
		fail(pool.attempt(1), 'DRAINING');
		vi.advanceTimersByTime(20);
		answer(pool.attempt(2));
		expect(pool.sent.map(({ atMs, avoid }) => [atMs, avoid?.url])).toEqual([
			[0, undefined],
			[10, 'ws://a'],
			[30, 'ws://b'],
		]);
		expect({ parts, ends }).toEqual({ parts: [body], ends: [undefined] });
	});

	test('the wait is anything below the bound, but never less than the server asked for', () => {
		const { call, pool } = begin({ random: () => 0.5 });
		call.start();
		fail(pool.attempt(0), 'OVERLOADED', 40);
		vi.advanceTimersByTime(44);
		expect(pool.sent).toHaveLength(1);
		vi.advanceTimersByTime(1);
		expect(pool.sent).toHaveLength(2);
	});

	test('after as many attempts as are allowed, the last error is the answer', () => {
		const { call, pool, ends } = begin({ attempts: 2 });
		call.start();
		fail(pool.attempt(0), 'OVERLOADED');
		vi.runAllTimers();
		fail(pool.attempt(1), 'CONNECTION_LOST');
		expect(ends).toEqual([expect.objectContaining({ code: 'CONNECTION_LOST' })]);
	});

	test.each(['INVALID_ARGUMENT', 'UNKNOWN_MODEL', 'DEADLINE_EXCEEDED', 'INTERNAL'] as const)('%s is not tried again', (code) => {
		const { call, pool, ends } = begin();
		call.start();
		fail(pool.attempt(0), code);
		expect(ends).toEqual([expect.objectContaining({ code })]);
		expect(vi.getTimerCount()).toBe(0);
	});

	test('a wait that does not fit into the time left is not begun', () => {
		const { call, pool, ends } = begin({ deadlineMs: 50 });
		call.start();
		vi.advanceTimersByTime(5);
		fail(pool.attempt(0), 'OVERLOADED', 40);
		expect(ends).toEqual([expect.objectContaining({ code: 'OVERLOADED', retryAfterMs: 40 })]);
	});

	test('each attempt sends the time that is left, in whole milliseconds', () => {
		const { call, pool } = begin({ deadlineMs: 100 });
		call.start();
		vi.advanceTimersByTime(29.5);
		fail(pool.attempt(0), 'DRAINING');
		vi.advanceTimersByTime(10);
		expect(pool.sent.map(({ deadlineMs }) => deadlineMs)).toEqual([100, 61]);
	});

	test('when the budget is spent, the failure is the answer', () => {
		const { call, pool, policy, ends } = begin({ budget: 0 });
		while (policy.takeHedge(0));
		call.start();
		fail(pool.attempt(0), 'OVERLOADED');
		expect(ends).toEqual([expect.objectContaining({ code: 'OVERLOADED' })]);
	});
});

describe('the end of patience', () => {
	test('at the deadline nothing is waited for: neither an answer nor a retry', () => {
		const { call, pool, ends, calls } = begin({ deadlineMs: 15 });
		call.start();
		fail(pool.attempt(0), 'DRAINING');
		vi.advanceTimersByTime(15);
		expect(ends).toEqual([expect.objectContaining({ code: 'DEADLINE_EXCEEDED' })]);
		expect(pool.late).toEqual([pool.attempt(1)]);
		expect([vi.getTimerCount(), calls.size]).toEqual([0, 0]);
	});

	test('a call that is given up forgets what is on its way, once', () => {
		const { call, pool, ends } = begin();
		call.start();
		call.giveUp(new EngineError('CANCELLED', 'enough'));
		call.giveUp(new EngineError('CANCELLED', 'enough'));
		expect(pool.forgotten).toEqual([pool.attempt(0)]);
		expect(ends).toHaveLength(1);
	});
});

describe('hedging', () => {
	test('without an answer in time a copy goes elsewhere; who answers first, answers, and the other is forgotten', () => {
		const { call, pool, policy, parts, ends } = begin({ hedgeAfterMs: 20 });
		call.start();
		vi.advanceTimersByTime(20);
		expect(pool.sent.map(({ attempt }) => attempt.connection?.url)).toEqual(['ws://a', 'ws://b']);
		answer(pool.attempt(1));
		expect(pool.forgotten).toEqual([pool.attempt(0)]);
		expect({ parts, ends }).toEqual({ parts: [body], ends: [undefined] });
		expect(policy.counts).toEqual({ requests: 1, retries: 0, hedges: 1 });
	});

	test('while no other connection stands the copy waits for one', () => {
		const { call, pool } = begin({ hedgeAfterMs: 20 });
		pool.hasOther = false;
		call.start();
		vi.advanceTimersByTime(60);
		expect(pool.sent).toHaveLength(1);
		pool.hasOther = true;
		vi.advanceTimersByTime(20);
		expect(pool.sent.map(({ attempt }) => attempt.connection?.url)).toEqual(['ws://a', 'ws://b']);
		vi.advanceTimersByTime(100);
		expect(pool.sent).toHaveLength(2);
	});

	test('an answer in time needs no copy', () => {
		const { call, pool } = begin({ hedgeAfterMs: 20 });
		call.start();
		answer(pool.attempt(0));
		expect([vi.getTimerCount(), pool.sent.length]).toEqual([0, 1]);
	});

	test('one of the two may fail while the other can still answer', () => {
		const { call, pool, parts, ends } = begin({ hedgeAfterMs: 20 });
		call.start();
		vi.advanceTimersByTime(20);
		fail(pool.attempt(0), 'CONNECTION_LOST');
		expect(ends).toEqual([]);
		answer(pool.attempt(1));
		expect({ parts, ends }).toEqual({ parts: [body], ends: [undefined] });
	});

	test('a mistake of the caller is one wherever it is found', () => {
		const { call, pool, ends } = begin({ hedgeAfterMs: 20 });
		call.start();
		vi.advanceTimersByTime(20);
		fail(pool.attempt(1), 'INVALID_ARGUMENT');
		expect(pool.forgotten).toEqual([pool.attempt(0)]);
		expect(ends).toEqual([expect.objectContaining({ code: 'INVALID_ARGUMENT' })]);
	});

	test('copies count as attempts, and against the budget', () => {
		const { call, pool } = begin({ hedgeAfterMs: 20, attempts: 1 });
		call.start();
		vi.advanceTimersByTime(100);
		expect(pool.sent).toHaveLength(1);
		const spent = begin({ hedgeAfterMs: 20, budget: 0 });
		while (spent.policy.takeHedge(0));
		spent.call.start();
		vi.advanceTimersByTime(20);
		expect(spent.pool.sent).toHaveLength(1);
	});
});

describe('feedback', () => {
	const operation = Operation.feedback;

	test.each(['OVERLOADED', 'DRAINING', 'EVENT_LOG_FAILED'] as const)('what was refused is sent again: %s', (code) => {
		const { call, pool } = begin({ operation });
		call.start();
		fail(pool.attempt(0), code);
		vi.advanceTimersByTime(20);
		expect(pool.sent).toHaveLength(2);
	});

	test('what left and was not answered is not: it may have been taken', () => {
		const { call, pool, ends } = begin({ operation, hedgeAfterMs: 20 });
		call.start();
		vi.advanceTimersByTime(100);
		expect(pool.sent).toHaveLength(1);
		fail(pool.attempt(0), 'CONNECTION_LOST');
		expect(ends).toEqual([expect.objectContaining({ code: 'CONNECTION_LOST' })]);
	});

	test('what never left is sent again', () => {
		const { call, pool } = begin({ operation });
		call.start();
		pool.attempt(0).connection = undefined;
		fail(pool.attempt(0), 'CONNECTION_LOST');
		vi.advanceTimersByTime(20);
		expect(pool.sent).toHaveLength(2);
	});
});

describe('several frames', () => {
	test('parts are handed on as they come, and the last one ends the call', () => {
		const { call, pool, parts, ends } = begin();
		call.start();
		answer(pool.attempt(0), 0, false);
		answer(pool.attempt(0), 1, false);
		expect(ends).toEqual([]);
		answer(pool.attempt(0), 2, true);
		expect([parts.length, ends]).toEqual([3, [undefined]]);
	});

	test('after the first part nothing is tried again', () => {
		const { call, pool, ends } = begin({ hedgeAfterMs: 20 });
		call.start();
		answer(pool.attempt(0), 0, false);
		vi.advanceTimersByTime(100);
		expect(pool.sent).toHaveLength(1);
		fail(pool.attempt(0), 'CONNECTION_LOST');
		expect(ends).toEqual([expect.objectContaining({ code: 'CONNECTION_LOST' })]);
	});

	test('a frame that is missing fails the call', () => {
		const { call, pool, ends } = begin();
		call.start();
		answer(pool.attempt(0), 0, false);
		answer(pool.attempt(0), 2, true);
		expect(ends).toEqual([expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('frame 2') })]);
		expect(pool.forgotten).toEqual([pool.attempt(0)]);
	});
});

describe('whatever happens', () => {
	const codes: ErrorCode[] = ['OVERLOADED', 'DRAINING', 'CONNECTION_LOST', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'INTERNAL'];
	interface Fate {
		afterMs: number;
		code?: ErrorCode;
		retryAfterMs?: number;
	}
	const fate = fc.oneof(
		fc.record({ afterMs: fc.nat(60), code: fc.constantFrom(...codes), retryAfterMs: fc.nat(30) }),
		fc.record({ afterMs: fc.nat(60) }),
		fc.constant({ afterMs: Number.POSITIVE_INFINITY }),
	) as fc.Arbitrary<Fate>;
	const setup = fc.record({
		attempts: fc.integer({ min: 1, max: 5 }),
		budget: fc.double({ min: 0, max: 1, noNaN: true }),
		deadlineMs: fc.integer({ min: 1, max: 200 }),
		hedgeAfterMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
	});

	/** What the server does with an attempt, unless it is forgotten until then. */
	function meet(attempt: Attempt, { afterMs, code, retryAfterMs }: Fate, isAwaited: () => boolean): void {
		if (!Number.isFinite(afterMs)) return;
		setTimeout(() => {
			if (!isAwaited()) return;
			if (code === undefined) answer(attempt);
			else fail(attempt, code, retryAfterMs);
		}, afterMs);
	}

	test('a call ends once, within its deadline, after no more attempts than allowed, and leaves nothing behind', () => {
		fc.assert(
			fc.property(setup, fc.array(fate), fc.nat(), (options, fates, seed) => {
				const { call, pool, parts, ends, calls, policy } = begin({ ...options, random: random(seed) } as Setup);
				pool.onSend = (attempt) => meet(attempt, fates[pool.sent.length - 1] ?? { afterMs: 1 }, () => !pool.isForgotten(attempt));
				call.start();
				vi.advanceTimersByTime(options.deadlineMs);
				expect(ends).toHaveLength(1);
				expect(parts).toHaveLength(ends[0] === undefined ? 1 : 0);
				expect(pool.sent.length).toBeLessThanOrEqual(options.attempts);
				expect(pool.sent.length - 1).toBe(policy.counts.retries + policy.counts.hedges);
				expect(calls.size).toBe(0);
				const sent = pool.sent.length;
				vi.runAllTimers();
				expect([pool.sent.length, ends.length]).toEqual([sent, 1]);
			}),
		);
	});

	test('retries of many calls stay within the budget of all', () => {
		fc.assert(
			fc.property(
				fc.array(fc.constantFrom(...codes), { maxLength: 300 }),
				fc.double({ min: 0, max: 0.5, noNaN: true }),
				(failures, budget) => {
					const policy = new RetryPolicy({ attempts: 100, budget, random: () => 0 });
					const startMs = performance.now();
					for (const code of failures) {
						policy.started();
						for (let sent = 1; policy.takeRetry(new EngineError(code, ''), sent, 1000) !== undefined; sent++) vi.advanceTimersByTime(1);
					}
					const seconds = (performance.now() - startMs) / 1000;
					expect(policy.counts.retries).toBeLessThanOrEqual(30 + budget * failures.length + 3 * seconds);
				},
			),
		);
	});
});
