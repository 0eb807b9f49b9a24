/** What stands beside the operations: front page, models, health, metrics. */
import { expect, test, vi } from 'vitest';
import type { SlowRequest } from '../../src/native/addon.js';
import { http } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { RawWebSocket } from '../support/raw-websocket.js';
import { withFakeServer } from '../support/with-fake-server.js';

test('the front page says who this is and where to go', () =>
	withFakeServer(async ({ base }) => {
		const page = (await http(`${base}/`)).json();
		expect(page).toMatchObject({ name: 'rankd', models: ['tiny@1.0.0'], links: { ready: '/v2/health/ready' } });
	}));

test('the models are listed in snake_case', () =>
	withFakeServer(async ({ base }) => {
		const { models } = (await http(`${base}/v1/models`)).json() as { models: unknown[] };
		expect(models).toMatchObject([{ name: 'tiny', version: '1.0.0', aliases: ['champion'], golden_passed: 1, load_ms: 2.5 }]);
	}));

test('alive is alive; ready needs a model', () =>
	withFakeServer(async ({ base, engine }) => {
		expect((await http(`${base}/v2/health/live`)).json()).toEqual({ live: true });
		expect((await http(`${base}/v2/health/ready`)).json()).toEqual({ ready: true });
		engine.served = [];
		const answer = await http(`${base}/v2/health/ready`);
		expect(answer.status).toBe(503);
		expect(answer.json()).toEqual({ ready: false, error: 'no model is loaded', code: 'MODEL_NOT_READY', request_id: null });
		expect((await http(`${base}/v2/health/live`)).status).toBe(200);
	}));

test.each(['/', '/v1/models', '/v2/health/live', '/metrics', '/debug/slow'])('HEAD %s tells the length and sends nothing', (path) =>
	withFakeServer(async ({ base }) => {
		const { status, headers, body } = await http(base + path, { method: 'HEAD' });
		expect(status).toBe(200);
		expect(Number(headers['content-length'])).toBeGreaterThan(0);
		expect(body.byteLength).toBe(0);
	}),
);

test('connections are counted by what they are, also when they have gone', () =>
	withFakeServer(async ({ base, port }) => {
		const count = async (kind: string) => parseMetrics((await http(`${base}/metrics`)).body.toString()).get(`rankd_${kind}_connections`);
		const peer = await RawWebSocket.connect(port);
		expect([await count('http'), await count('rpc')]).toEqual([1, 1]);
		peer.socket.destroy();
		await vi.waitUntil(async () => (await count('rpc')) === 0);
		expect(await count('http')).toBe(1);
	}));

test('a scrape is well-formed and counts traffic', () =>
	withFakeServer(async ({ base }) => {
		await http(`${base}/v1/recommend/tiny`, { method: 'POST', body: '{}' });
		await http(`${base}/nope`);
		const { headers, body } = await http(`${base}/metrics`);
		expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
		const scrape = parseMetrics(body.toString());
		expect(scrape.get('rankd_http_requests_total')).toBe(1);
		expect(scrape.get('rankd_received_bytes_total')).toBe(2);
		expect(scrape.get('rankd_errors_total{code="NOT_FOUND"}')).toBe(1);
		expect(scrape.get('rankd_event_loop_lag_seconds{thread="0",quantile="0.99"}')).toBeGreaterThanOrEqual(0);
		expect(scrape.get('process_resident_memory_bytes')).toBeGreaterThan(0);
	}));

const slow: SlowRequest = {
	...{ requestId: '<img src=x onerror=alert(1)>', model: 'tiny', version: '1.0.0', operation: 'recommend', code: 'OK' },
	...{ rows: 64, batchRequests: 8, queueUs: 500, stageUs: { decode: 100, score: 1500 }, totalUs: 2000, at: 60_000 },
};
const traced: SlowRequest = { ...slow, requestId: null, totalUs: 1000, traceId: 'ab'.repeat(16), parentId: 'cd'.repeat(8) };

test('the slowest requests are told with their stages in snake_case', () =>
	withFakeServer(async ({ base, engine }) => {
		engine.slow = [slow, traced];
		const { since, requests } = (await http(`${base}/debug/slow`)).json() as { since: string; requests: object[] };
		expect(since).toBe('1970-01-01T00:00:00.000Z');
		expect(requests[0]).toEqual({
			...{ request_id: slow.requestId, model: 'tiny', version: '1.0.0', operation: 'recommend', code: 'OK', rows: 64 },
			...{ batch_requests: 8, queue_us: 500, stages_us: { decode: 100, score: 1500 }, total_us: 2000, at: '1970-01-01T00:01:00.000Z' },
		});
		expect(requests[1]).toMatchObject({ request_id: null, trace_id: 'ab'.repeat(16), parent_id: 'cd'.repeat(8) });
	}));

test('a browser gets a picture of them, in which an id from outside is text', () =>
	withFakeServer(async ({ base, engine }) => {
		const page = async () => {
			const { headers, body } = await http(`${base}/debug/slow`, { headers: { accept: 'text/html,application/xhtml+xml' } });
			return { headers, html: body.toString() };
		};
		expect((await page()).html).toContain('none yet');
		engine.slow = [slow, traced];
		const { headers, html } = await page();
		expect(headers).toMatchObject({
			'content-type': 'text/html; charset=utf-8',
			'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
		});
		expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
		expect(html).not.toContain('<img');
		expect(html).toContain('width:75.00%');
		expect(html).toContain('title="score 1.500 ms"');
	}));
