/** What waits for one slow reader and for all of a thread: when new work is refused, when a connection is cut. */
import { expect, test } from 'vitest';
import { Backlog } from '../../src/server/backlog.js';
import { oneThread } from '../support/one-thread.js';

const LIMIT = 100_000;

function newThread() {
	const thread = oneThread(LIMIT);
	return { ...thread, newBacklog: () => new Backlog(thread.context) };
}

test('half of the limit refuses new work, beyond the limit nothing is added', () => {
	const backlog = newThread().newBacklog();
	expect(backlog).toMatchObject({ bytes: 0, isCrowded: false, isFull: false });
	backlog.set(LIMIT / 2);
	expect(backlog).toMatchObject({ isCrowded: false, isFull: false });
	backlog.set(LIMIT / 2 + 1);
	expect(backlog).toMatchObject({ isCrowded: true, isFull: false });
	backlog.set(LIMIT + 1);
	expect(backlog).toMatchObject({ isCrowded: true, isFull: true, isOneTooMany: false });
	backlog.set(0);
	expect(backlog).toMatchObject({ isCrowded: false, isFull: false });
});

test('a thread sums what waits on its connections', () => {
	const { traffic, newBacklog } = newThread();
	const [one, other] = [newBacklog(), newBacklog()];
	one.set(10);
	other.set(30);
	one.set(5);
	expect(traffic.read('backlogBytes')).toBe(35);
	other.set(0);
	one.set(0);
	expect(traffic.read('backlogBytes')).toBe(0);
});

test('many readers, each slow within its limit, are cut off while together they are too many; who reads is spared', () => {
	const { newBacklog } = newThread();
	const slow = Array.from({ length: 40 }, newBacklog);
	for (const backlog of slow) backlog.set(LIMIT - 1);
	const reading = newBacklog();
	expect(slow.every(({ isOneTooMany }) => isOneTooMany)).toBe(true);
	expect(reading.isOneTooMany).toBe(false);
	for (const backlog of slow.slice(0, 10)) backlog.set(0);
	expect(slow.some(({ isOneTooMany }) => isOneTooMany)).toBe(false);
});

test('who is cut off is counted and logged with what waited', () => {
	const { traffic, logLines, newBacklog } = newThread();
	const backlog = newBacklog();
	backlog.set(LIMIT + 1);
	backlog.cutOff('RPC');
	expect(traffic.read('slowConsumers')).toBe(1);
	expect(JSON.parse(logLines[0] as string)).toMatchObject({ level: 'warn', backlog_bytes: LIMIT + 1 });
});
