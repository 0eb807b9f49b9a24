/** A scrape is well-formed Prometheus text and tells what the engine counted. */
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.js';
import { createRows, rowsOf, type ThreadRow, type Traffic } from '../../src/metrics/thread-row.js';
import { FakeEngine } from '../support/fake-engine.js';
import { fakeInference } from '../support/fake-inference.js';
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

test('each stage has its histogram, the queue among them', async () => {
	const scrape = parseMetrics(await newMetrics().metrics.render());
	const count = (stage: string) =>
		scrape.get(`rankd_stage_duration_seconds_count{model="tiny",version="1.0.0",operation="recommend",stage="${stage}"}`);
	expect(['queue', 'decode', 'score', 'select'].map(count)).toEqual([6, 6, 5, undefined]);
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
	engine.served = [];
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
	written?.receive.fill(1);
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
	expect(scrape).not.toContain('rankd_receive_delay_seconds');
	expect(scrape).not.toContain('nv_inference_');
	expect(scrape).toContain('rankd_model_info{');
});

describe("under Triton's names", () => {
	const series = (name: string, labels = '') => `${name}{model="simple",version="1"${labels}}`;

	test('each counter of infer is there from the load on, in µs where it is a duration', async () => {
		const { engine, metrics } = newMetrics();
		const stats = engine.stats();
		const time = { count: 2, ns: 9000 };
		engine.stats = () => ({ ...stats, inference: [fakeInference('simple', '1', { pending: 7, cacheHit: time })] });
		const scrape = parseMetrics(await metrics.render());
		const seen = (name: string, labels?: string) => scrape.get(series(name, labels));
		expect(seen('nv_inference_request_success')).toBe(3);
		expect(seen('nv_inference_request_failure', ',reason="REJECTED"')).toBe(1);
		expect(seen('nv_inference_request_failure', ',reason="CANCELED"')).toBe(0);
		expect(seen('nv_inference_count')).toBe(12);
		expect(seen('nv_inference_exec_count')).toBe(2);
		for (const part of ['request', 'queue', 'compute_input', 'compute_infer', 'compute_output']) {
			expect(seen(`nv_inference_${part}_duration_us`)).toBe(3);
			expect(seen(`nv_inference_${part}_duration_histogram_us_bucket`, ',le="1"')).toBe(3);
		}
		expect(seen('nv_inference_pending_request_count')).toBe(7);
		expect(seen('nv_cache_num_hits_per_model')).toBe(2);
		expect(seen('nv_cache_hit_duration_per_model')).toBe(9);
		expect(seen('nv_cache_num_misses_per_model')).toBe(0);
		expect(scrape.get('nv_model_load_duration_secs{model="tiny",version="1.0.0"}')).toBe(0.0025);
	});

	test('the response cache is shown where there is one', async () => {
		const { engine, metrics } = newMetrics();
		expect(parseMetrics(await metrics.render()).has('rankd_response_cache_bytes')).toBe(false);
		const stats = engine.stats();
		engine.stats = () => ({ ...stats, responseCache: { entries: 3, bytes: 4096, limitBytes: 1 << 20, evictions: 5 } });
		const scrape = parseMetrics(await metrics.render());
		const names = ['bytes', 'limit_bytes', 'entries', 'evictions_total'];
		expect(names.map((name) => scrape.get(`rankd_response_cache_${name}`))).toEqual([4096, 1 << 20, 3, 5]);
	});
});
