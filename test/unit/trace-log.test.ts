/** Traced requests are logged, each once, and the last ones at the end. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.js';
import type { TracedRequest } from '../../src/native/addon.js';
import { logTraces } from '../../src/server/trace-log.js';

const traced: TracedRequest = {
	...{ traceId: 'ab'.repeat(16), parentId: 'cd'.repeat(8), requestId: 'r-1', model: 'tiny', version: '1.0.0', operation: 'rank' },
	...{ code: 'OK', rows: 5, batchRequests: 2, queueUs: 10, stageUs: { decode: 3, score: 40 }, totalUs: 60, at: 0 },
};

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

test('the engine is asked every second, and once more when it stops', () => {
	const lines: Record<string, unknown>[] = [];
	const log = createLog({ level: 'info', format: 'json', id: 'test' }, { write: (line) => lines.push(JSON.parse(line)) });
	const pending: TracedRequest[] = [traced];
	const stop = logTraces(() => pending.splice(0), log);
	expect(lines).toEqual([]);
	vi.advanceTimersByTime(3000);
	expect(lines).toHaveLength(1);
	expect(lines[0]).toMatchObject({
		...{ level: 'info', msg: 'request traced', trace_id: traced.traceId, parent_id: traced.parentId, request_id: 'r-1', model: 'tiny' },
		...{ version: '1.0.0', operation: 'rank', code: 'OK', queue_us: 10, stages_us: { decode: 3, score: 40 }, total_us: 60 },
	});
	pending.push(traced, traced);
	stop();
	expect(lines).toHaveLength(3);
	expect(vi.getTimerCount()).toBe(0);
});
