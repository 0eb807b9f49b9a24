/** What a server tells of its requests: stages, the slowest, traces. */
import { expect, test, vi } from 'vitest';
import type { SlowRequest } from '../../src/native/addon.js';
import { http, post } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { serve } from '../support/run-cli.js';
import { fixtureModels, withServer } from '../support/with-server.js';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7' };

test('a request is found among the slowest with its stages', () =>
	withServer(async ({ base }) => {
		await post(`${base}/v1/recommend/tiny`, '{"k": 3}', { 'x-request-id': 'find-me' });
		const { since, requests } = (await http(`${base}/debug/slow`)).json() as { since: string; requests: Record<string, unknown>[] };
		expect(Date.parse(since)).toBeLessThan(Date.now());
		expect(requests).toMatchObject([{ request_id: 'find-me', model: 'tiny', operation: 'recommend', code: 'OK', batch_requests: 1 }]);
		expect(Object.keys(requests[0]?.['stages_us'] as object)).toEqual([
			'decode',
			'lookup',
			'retrieve',
			'filter',
			'score',
			'select',
			'encode',
		]);
		expect(Date.parse(requests[0]?.['at'] as string)).toBeGreaterThan(Date.parse(since));
	}));

test('each stage of a batch is a series of the scrape', () =>
	withServer(async ({ base }) => {
		await post(`${base}/v1/recommend/tiny`, '{}');
		const scrape = parseMetrics((await http(`${base}/metrics`)).body.toString());
		const count = (stage: string) =>
			scrape.get(`rankd_stage_duration_seconds_count{model="tiny",version="1.0.0",operation="recommend",stage="${stage}"}`);
		expect(['queue', 'decode', 'retrieve', 'score', 'encode', 'infer'].map(count)).toEqual([1, 1, 1, 1, 1, undefined]);
	}));

test('a trace context comes as header or in the body; one that is not valid is ignored', () =>
	withServer(async ({ base, engine }) => {
		const url = `${base}/v1/recommend/tiny`;
		await post(url, '{}', { traceparent, 'x-request-id': 'header' });
		await post(url, JSON.stringify({ traceparent }), { 'x-request-id': 'body' });
		await post(url, '{}', { traceparent: `${traceparent}-more`, 'x-request-id': 'too long' });
		await post(url, '{}', { traceparent: traceparent.replace(/1$/, '0'), 'x-request-id': 'not sampled' });
		const traces = engine.takeTraces();
		expect(traces.map(({ requestId }) => requestId)).toEqual(['header', 'body']);
		expect(traces).toMatchObject([trace, trace]);
		expect(engine.takeTraces()).toEqual([]);
		const unsampled = engine.slowRequests().requests.find(({ requestId }) => requestId === 'not sampled') as SlowRequest;
		expect(unsampled).toMatchObject(trace);
	}));

test('a traced request of an I/O thread is a log line of the main thread', async () => {
	const run = await serve(['--io-threads', '1'], fixtureModels);
	await post(`http://127.0.0.1:${run.port}/v1/recommend/tiny`, '{}', { traceparent, 'x-request-id': 'r-1' });
	await vi.waitUntil(() => run.stderr.includes('request traced'), { timeout: 5000 });
	const line = run.stderr.split('\n').find((text) => text.includes('request traced')) as string;
	expect(JSON.parse(line)).toMatchObject({
		level: 'info',
		trace_id: trace.traceId,
		parent_id: trace.parentId,
		request_id: 'r-1',
		code: 'OK',
	});
});
