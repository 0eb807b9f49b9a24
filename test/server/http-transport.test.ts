/** The HTTP transport in front of a fake engine: bodies, headers, methods, errors in the caller's codec. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { pack, unpack } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { Codec, Operation } from '../../src/native/addon.js';
import { http, post } from '../support/http-request.js';
import { withFakeServer } from '../support/with-fake-server.js';

describe('operations', () => {
	test.each([
		['recommend', Operation.recommend],
		['rank', Operation.rank],
		['similar', Operation.similar],
		['score', Operation.score],
	])('POST /v1/%s hands body and envelope to the engine', (name, operation) =>
		withFakeServer(async ({ engine, base }) => {
			const answer = await post(`${base}/v1/${name}/tiny%40champion?ignored=1`, '{"k":5}', {
				'x-deadline-ms': '250',
				'x-request-id': 'a-1',
				traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
			});
			expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
			expect(answer.json()).toEqual({ ok: true });
			expect(engine.requests).toMatchObject([{ codec: Codec.json, operation, target: 'tiny@champion', requestId: 'a-1' }]);
			expect(engine.requests[0]?.traceparent).toBe('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
			expect(engine.requests[0]?.bytes.toString()).toBe('{"k":5}');
			expect(engine.requests[0]?.deadlineMs).toBeGreaterThan(0);
			expect(engine.requests[0]?.deadlineMs).toBeLessThanOrEqual(250);
		}),
	);

	test.each(['', 'application/json', 'application/x-www-form-urlencoded', 'text/plain; charset=utf-8'])('Content-Type %j is JSON', (type) =>
		withFakeServer(async ({ engine, base }) => {
			const { headers } = await post(`${base}/v1/recommend/tiny`, '{}', type === '' ? {} : { 'content-type': type });
			expect(headers['content-type']).toBe('application/json');
			expect(engine.requests[0]?.codec).toBe(Codec.json);
		}),
	);

	test.each(['application/msgpack', 'application/x-msgpack', 'Application/MsgPack'])(
		'Content-Type %s is msgpack, and so is the answer',
		(type) =>
			withFakeServer(async ({ engine, base }) => {
				const { headers, body } = await post(`${base}/v1/recommend/tiny`, pack({ k: 1 }), { 'content-type': type });
				expect(headers['content-type']).toBe('application/msgpack');
				expect(unpack(body)).toEqual({ ok: true });
				expect(engine.requests[0]?.codec).toBe(Codec.msgpack);
			}),
	);

	test('no body at all is an empty body', () =>
		withFakeServer(async ({ engine, base }) => {
			expect((await post(`${base}/v1/recommend/tiny`, undefined)).status).toBe(200);
			expect(engine.requests[0]?.bytes.byteLength).toBe(0);
		}));

	test('a chunked body arrives whole', () =>
		withFakeServer(async ({ engine, base }) => {
			const parts = ['{"history":[', `"${'x'.repeat(70_000)}"`, ',', '"y"]}'];
			expect((await post(`${base}/v1/recommend/tiny`, parts)).status).toBe(200);
			expect(engine.requests[0]?.bytes.toString()).toBe(parts.join(''));
		}));

	test('a connection is kept for the next call', () =>
		withFakeServer(async ({ base }) => {
			const agent = new Agent({ keepAlive: true, maxSockets: 1 });
			for (let call = 0; call < 3; call++) await http(`${base}/v1/recommend/tiny`, { method: 'POST', body: '{}', agent });
			expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
			agent.destroy();
		}));

	test('the status is that of the answer, overload says when to come back', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ code: 'OVERLOADED', retryAfterMs: 1200, body: { code: 'OVERLOADED' } });
			const { status, headers } = await post(`${base}/v1/recommend/tiny`, '{}');
			expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '2' });
		}));

	test('Server-Timing says in milliseconds where the time went', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ queueUs: 1234, computeUs: 70, body: {} });
			const { headers } = await post(`${base}/v1/recommend/tiny`, '{}');
			expect(headers['server-timing']).toMatch(/^queue;dur=1\.234, compute;dur=0\.07, total;dur=\d+(\.\d{1,3})?$/);
		}));

	test('a fault of ours is logged with its request', () =>
		withFakeServer(async ({ engine, base, logLines }) => {
			engine.answer = () => ({ code: 'INTERNAL', body: { error: 'this is a bug', code: 'INTERNAL', request_id: 'r-9' } });
			expect((await post(`${base}/v1/recommend/tiny`, '{}')).status).toBe(500);
			expect(logLines.map((line) => JSON.parse(line))).toMatchObject([
				{ level: 'error', code: 'INTERNAL', request_id: 'r-9', msg: 'this is a bug' },
			]);
		}));
});

describe('refusals', () => {
	test.each(['0', '-1', '1.5', 'soon', '3600001', '99999999999'])('X-Deadline-Ms: %s', (deadline) =>
		withFakeServer(async ({ engine, base }) => {
			const answer = await post(`${base}/v1/recommend/tiny`, '{}', { 'x-deadline-ms': deadline, 'x-request-id': 'q' });
			expect(answer.status).toBe(400);
			expect(answer.json()).toEqual({
				error: `X-Deadline-Ms must be a whole number from 1 to 3600000, got "${deadline}"`,
				code: 'INVALID_ARGUMENT',
				request_id: null,
			});
			expect(engine.requests).toEqual([]);
		}),
	);

	test('X-Request-Id that is too long', () =>
		withFakeServer(async ({ base }) => {
			const answer = await post(`${base}/v1/recommend/tiny`, '{}', { 'x-request-id': 'x'.repeat(129) });
			expect(answer).toMatchObject({ status: 400 });
			expect(answer.json()['error']).toContain('X-Request-Id');
		}));

	test.each(['%', '%zz', '%ff'])('a path that is no percent-encoded text: %s', (segment) =>
		withFakeServer(async ({ base }) => {
			const answer = await post(`${base}/v1/score/${segment}`, '{}');
			expect(answer.status).toBe(400);
			expect(answer.json()).toMatchObject({ code: 'INVALID_ARGUMENT', error: expect.stringContaining('{model}') });
		}),
	);

	test('an error speaks the codec of its request', () =>
		withFakeServer(async ({ base }) => {
			const { headers, body } = await post(`${base}/v1/recommend/%zz`, pack({}), { 'content-type': 'application/msgpack' });
			expect(headers['content-type']).toBe('application/msgpack');
			expect(unpack(body)).toMatchObject({ code: 'INVALID_ARGUMENT', request_id: null });
		}));

	test.each([
		['with a declared length', 'x'.repeat(5000)],
		['in chunks', Array.from({ length: 5 }, () => 'x'.repeat(1000))],
	])('a body over the limit %s', (_, body) =>
		withFakeServer(
			async ({ engine, base }) => {
				const answer = await post(`${base}/v1/recommend/tiny`, body, { 'x-request-id': 'big' });
				expect(answer.status).toBe(413);
				expect(answer.json()).toMatchObject({
					code: 'TOO_LARGE',
					request_id: 'big',
					error: expect.stringContaining('at most 2048 are accepted'),
				});
				expect(engine.requests).toEqual([]);
				expect((await post(`${base}/v1/recommend/tiny`, '{}')).status).toBe(200);
			},
			{ maxFrameBytes: 2048 },
		),
	);

	test.each([
		['GET', '/v1/recommend/tiny', 'POST'],
		['PUT', '/v1/score/tiny', 'POST'],
		['HEAD', '/v1/rank/tiny', 'POST'],
		['POST', '/v2/health/ready', 'GET, HEAD'],
		['DELETE', '/metrics', 'GET, HEAD'],
		['POST', '/', 'GET, HEAD'],
	])('%s %s is not allowed', (method, path, allow) =>
		withFakeServer(async ({ base }) => {
			const { status, headers } = await http(base + path, { method });
			expect({ status, allow: headers.allow }).toEqual({ status: 405, allow });
		}),
	);

	test.each(['/nope', '/v1', '/v1/recommend/', '/v1/recommend/a/b', '/v3/models/x/infer'])('nothing is at %s', (path) =>
		withFakeServer(async ({ base }) => {
			const answer = await post(base + path, '{}');
			expect(answer.status).toBe(404);
			expect(answer.json()).toEqual({ error: `there is no ${path} here; GET / lists what there is`, code: 'NOT_FOUND', request_id: null });
		}),
	);

	test('/rpc without an upgrade says what it is', () =>
		withFakeServer(async ({ base }) => {
			expect((await http(`${base}/rpc`)).json()).toMatchObject({ code: 'INVALID_ARGUMENT', error: expect.stringContaining('WebSocket') });
		}));
});

describe('callers that go', () => {
	test('while their request is computed: it is cancelled', () =>
		withFakeServer(async ({ engine, port, base }) => {
			engine.isHeld = true;
			const socket = connect(port, '127.0.0.1');
			socket.write('POST /v1/recommend/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
			await vi.waitUntil(() => engine.requests.length === 1);
			socket.destroy();
			await vi.waitUntil(() => engine.cancelled.length === 1);
			engine.release();
			expect((await post(`${base}/v1/recommend/tiny`, '{}')).status).toBe(200);
		}));

	test('in the middle of their body: nothing was asked of the engine', () =>
		withFakeServer(async ({ engine, port, base }) => {
			const socket = connect(port, '127.0.0.1');
			socket.write('POST /v1/recommend/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"k":');
			await once(socket, 'connect');
			socket.destroy();
			expect((await post(`${base}/v1/recommend/tiny`, '{}')).status).toBe(200);
			expect(engine.requests).toHaveLength(1);
		}));
});

describe('draining', () => {
	test('readiness goes, open calls are answered and told to close', () =>
		withFakeServer(async ({ app, engine, base }) => {
			engine.isHeld = true;
			const agent = new Agent({ keepAlive: true });
			expect((await http(`${base}/v2/health/ready`, { agent })).status).toBe(200);
			const open = http(`${base}/v1/recommend/tiny`, { method: 'POST', body: '{}', agent: new Agent({ keepAlive: true }) });
			await vi.waitUntil(() => engine.requests.length === 1);
			const drained = app.drain(5000);
			const ready = await http(`${base}/v2/health/ready`, { agent });
			expect(ready.status).toBe(503);
			expect(ready.json()).toMatchObject({ ready: false, code: 'DRAINING' });
			engine.release();
			expect(await open).toMatchObject({ status: 200, headers: { connection: 'close' } });
			expect(await drained).toBe(true);
			await expect(http(`${base}/v2/health/live`)).rejects.toThrow('ECONNREFUSED');
			agent.destroy();
		}));
});
