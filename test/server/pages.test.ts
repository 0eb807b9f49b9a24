/** What stands beside the operations: front page, models, health, metrics. */
import { expect, test, vi } from 'vitest';
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
		engine.models = [];
		const answer = await http(`${base}/v2/health/ready`);
		expect(answer.status).toBe(503);
		expect(answer.json()).toEqual({ ready: false, error: 'no model is loaded', code: 'MODEL_NOT_READY', request_id: null });
		expect((await http(`${base}/v2/health/live`)).status).toBe(200);
	}));

test.each(['/', '/v1/models', '/v2/health/live', '/metrics'])('HEAD %s tells the length and sends nothing', (path) =>
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
