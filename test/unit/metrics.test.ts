/** A scrape is well-formed Prometheus text and tells what the engine counted. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EngineHistogram } from '../../src/metrics/engine-histogram.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { createRows, rowsOf, type ThreadRow, type Traffic } from '../../src/metrics/thread-row.js';
import { FakeEngine } from '../support/fake-engine.js';
import { parseMetrics } from '../support/parse-metrics.js';

function newMetrics(threadCount = 1, isObserved = true) {
	const engine = new FakeEngine();
	const threads = rowsOf(createRows(threadCount));
	const metrics = createMetrics({ readStats: () => engine.stats(), threads, isObserved });
	const traffic = (threads[0] as ThreadRow).traffic;
	return { engine, threads, traffic, metrics };
}

test('buckets are cumulative and end at +Inf with the count', async () => {
	const scrape = parseMetrics(await newMetrics().metrics.render());
	const labels = 'model="tiny",version="1.0.0",operation="recommend"';
	expect(scrape.get(`rankd_request_duration_seconds_bucket{${labels},le="0.00001"}`)).toBe(1);
	expect(scrape.get(`rankd_request_duration_seconds_bucket{${labels},le="0.00002"}`)).toBe(3);
	expect(scrape.get(`rankd_request_duration_seconds_bucket{${labels},le="+Inf"}`)).toBe(6);
	expect(scrape.get(`rankd_request_duration_seconds_count{${labels}}`)).toBe(6);
	expect(scrape.get(`rankd_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(0.0001, 9);
	expect(scrape.get(`rankd_batch_requests_bucket{${labels},le="1"}`)).toBe(4);
});

test('errors of models, of the engine and of the transports are one counter', async () => {
	const { traffic, metrics } = newMetrics();
	traffic.addError('NOT_FOUND');
	traffic.addError('INVALID_BODY');
	const scrape = parseMetrics(await metrics.render());
	expect(scrape.get('rankd_errors_total{code="INVALID_BODY"}')).toBe(3);
	expect(scrape.get('rankd_errors_total{code="UNKNOWN_MODEL"}')).toBe(3);
	expect(scrape.get('rankd_errors_total{code="NOT_FOUND"}')).toBe(1);
});

test('a second scrape shows the newest numbers, and models that have gone are gone', async () => {
	const { engine, traffic, metrics } = newMetrics();
	expect((await metrics.render()).includes('rankd_model_info{model="tiny"')).toBe(true);
	engine.models = [];
	traffic.add('rpcFrames', 12);
	const scrape = parseMetrics(await metrics.render());
	expect([...scrape.keys()].some((series) => series.startsWith('rankd_model_info'))).toBe(false);
	expect(scrape.get('rankd_rpc_frames_total')).toBe(12);
});

test('two servers of one process do not share metrics', async () => {
	const [one, two] = [newMetrics(), newMetrics()];
	one.traffic.add('rpcFrames', 5);
	expect(parseMetrics(await two.metrics.render()).get('rankd_rpc_frames_total')).toBe(0);
});

test('the traffic of all threads is one sum, and the load of each can be told', async () => {
	const { threads, metrics } = newMetrics(2);
	const [one, two] = threads.map(({ traffic }) => traffic) as [Traffic, Traffic];
	one.add('rpcFrames', 3);
	two.add('rpcFrames', 4);
	two.add('rpcConnections');
	two.add('httpConnections', 2);
	one.addError('NOT_FOUND');
	two.addError('NOT_FOUND');
	const scrape = parseMetrics(await metrics.render());
	expect(scrape.get('rankd_rpc_frames_total')).toBe(7);
	expect(scrape.get('rankd_errors_total{code="NOT_FOUND"}')).toBe(2);
	expect([0, 1].map((thread) => scrape.get(`rankd_io_thread_frames_total{thread="${thread}"}`))).toEqual([3, 4]);
	expect([0, 1].map((thread) => scrape.get(`rankd_io_thread_connections{thread="${thread}"}`))).toEqual([0, 3]);
	expect(scrape.get('rankd_io_threads')).toBe(2);
});

test('a row is seen by whoever has the buffer, and rows do not touch', () => {
	const buffer = createRows(3);
	const [, written] = rowsOf(buffer);
	written?.traffic.add('sentBytes', 2 ** 40);
	written?.traffic.addError('INTERNAL');
	written?.loop.fill(1);
	const seen = rowsOf(buffer).map(({ traffic, loop }) => [traffic.read('sentBytes'), traffic.errors(), Math.max(...loop)]);
	expect(seen).toEqual([
		[0, {}, 0],
		[2 ** 40, { INTERNAL: 1 }, 1],
		[0, {}, 0],
	]);
});

test('what the engine does not observe is absent, not zero', async () => {
	const scrape = await newMetrics(1, false).metrics.render();
	expect(scrape).not.toContain('rankd_request_duration_seconds');
	expect(scrape).not.toContain('rankd_open_requests');
	expect(scrape).not.toContain('rankd_event_loop_lag_seconds');
	expect(scrape).toContain('rankd_model_info{');
});

test('whatever the counts are, buckets rise and the last is the count', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), async (counts) => {
			const bounds = counts.slice(1).map((_, at) => 10 ** at);
			const read = () => [{ labels: {}, counts: { bounds, counts, sum: 0 } }];
			const { values } = await new EngineHistogram({ name: 'h', help: 'h', scale: 1, read }).get();
			const buckets = values.filter(({ metricName }) => metricName === 'h_bucket').map(({ value }) => value);
			expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
			expect(buckets.at(-1)).toBe(counts.reduce((a, b) => a + b));
		}),
	);
});
