/** A disk that fails is told once, and once more when it works again; what was lost is told at the end. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.js';
import type { EventLogStats } from '../../src/native/addon.js';
import { lastWords, watchEventLog } from '../../src/server/event-log-watch.js';

const well: EventLogStats = {
	...{ accepted: 3, refusedFull: 0, refusedFailed: 0, lost: 0, queuedEvents: 0, queuedBytes: 0 },
	...{ writtenBytes: 300, segments: 1, removedSegments: 0, failures: 0, fault: '' },
};

function memoryLog() {
	const lines: Record<string, unknown>[] = [];
	return { lines, log: createLog({ level: 'info', format: 'json', id: 'test' }, { write: (line) => lines.push(JSON.parse(line)) }) };
}

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

test('a fault is told when it begins and when it ends', () => {
	const { lines, log } = memoryLog();
	let now: EventLogStats = { ...well, fault: 'disk full' };
	watchEventLog(() => now, log);
	vi.advanceTimersByTime(5000);
	expect(lines).toEqual([expect.objectContaining({ level: 'error', code: 'EVENT_LOG_FAILED', msg: 'feedback is refused: disk full' })]);
	now = well;
	vi.advanceTimersByTime(5000);
	expect(lines.slice(1)).toEqual([expect.objectContaining({ level: 'info', msg: 'the event log is written again' })]);
});

test('without an event log nothing is watched', () => {
	const { lines, log } = memoryLog();
	watchEventLog(() => undefined, log);
	expect([lines, vi.getTimerCount()]).toEqual([[], 0]);
});

test.each([
	['nothing', undefined, 0],
	['nothing lost', well, 0],
	['lost events', { ...well, lost: 2, fault: 'disk full' }, 1],
])('at the end: %s', async (_, stats, count) => {
	const { lines, log } = memoryLog();
	let isClosed = false;
	const close = async () => {
		isClosed = true;
	};
	await lastWords({ close, eventLog: () => stats }, log).close();
	expect([isClosed, lines.length]).toEqual([true, count]);
	if (count > 0) expect(lines[0]).toMatchObject({ lost_events: 2, msg: 'accepted events are lost: disk full' });
});
