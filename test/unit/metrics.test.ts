/** A scrape is well-formed Prometheus text and tells what the engine counted. */
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { EngineHistogram } from '../../src/metrics/engine-histogram.js';
import { countError, createMetrics, createTraffic } from '../../src/metrics/metrics.js';
import { FakeEngine } from '../support/fake-engine.js';
import { parseMetrics } from '../support/parse-metrics.js';

function newMetrics() {
	const engine = new FakeEngine();
	const traffic = createTraffic();
	const metrics = createMetrics(() => engine.stats(), traffic);
	onTestFinished(() => metrics.close());
	return { engine, traffic, metrics };
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
	countError(traffic, 'NOT_FOUND');
	countError(traffic, 'INVALID_BODY');
	const scrape = parseMetrics(await metrics.render());
	expect(scrape.get('rankd_errors_total{code="INVALID_BODY"}')).toBe(3);
	expect(scrape.get('rankd_errors_total{code="UNKNOWN_MODEL"}')).toBe(3);
	expect(scrape.get('rankd_errors_total{code="NOT_FOUND"}')).toBe(1);
});

test('a second scrape shows the newest numbers, and models that have gone are gone', async () => {
	const { engine, traffic, metrics } = newMetrics();
	expect((await metrics.render()).includes('rankd_model_info{model="tiny"')).toBe(true);
	engine.models = [];
	traffic.rpcFrames = 12;
	const scrape = parseMetrics(await metrics.render());
	expect([...scrape.keys()].some((series) => series.startsWith('rankd_model_info'))).toBe(false);
	expect(scrape.get('rankd_rpc_frames_total')).toBe(12);
});

test('two servers of one process do not share metrics', async () => {
	const [one, two] = [newMetrics(), newMetrics()];
	one.traffic.rpcFrames = 5;
	expect(parseMetrics(await two.metrics.render()).get('rankd_rpc_frames_total')).toBe(0);
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
