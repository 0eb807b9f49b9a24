/** The transport of `infer` under /v2, in front of a fake engine: bytes and headers in both directions. */
import { Agent } from 'node:http';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { type CodeName, catalogue } from '../../src/errors.js';
import { Codec, Operation } from '../../src/native/addon.js';
import { http, post } from '../support/http-request.js';
import { withFakeServer } from '../support/with-fake-server.js';

const path = '/v2/models/simple/infer';

describe('a request', () => {
	test.each([
		['/v2/models/simple/infer', 'simple'],
		['/v2/models/simple/infer?test_1=1&test_2=2', 'simple'],
		['/v2/models/simple/versions/3/infer', 'simple@3'],
		['/v2/models/simple/versions/1.2.0/infer', 'simple@1.2.0'],
		['/v2/models/simple%40champion/infer', 'simple@champion'],
		['/v2/models/two%20words%2Fslash/infer', 'two words/slash'],
		['/v2/models/v2/infer', 'v2'],
		['/v2/models/stats/infer', 'stats'],
		['/base/of/a/proxy/v2/models/simple/infer', 'simple'],
		['/v1/v2/models/simple/infer', 'simple'],
	])('POST %s asks for %s', (url, target) =>
		withFakeServer(async ({ engine, base }) => {
			const answer = await post(`${base}${url}`, '{"inputs":[]}', {
				'x-deadline-ms': '250',
				'x-request-id': 'a-1',
				traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
			});
			expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
			expect(engine.requests).toMatchObject([{ codec: Codec.oip, operation: Operation.infer, target, requestId: 'a-1' }]);
			const [request] = engine.requests;
			expect(request?.bytes.toString()).toBe('{"inputs":[]}');
			expect(request?.jsonBytes).toBeUndefined();
			expect(request?.traceparent).toContain('b7ad6b7169203331');
			expect(request?.deadlineMs).toBeGreaterThan(0);
			expect(request?.deadlineMs).toBeLessThanOrEqual(250);
		}),
	);

	test.each(['0', '2', '6', '+2', '002'])('Inference-Header-Content-Length: %s of six bytes goes on with them', (header) =>
		withFakeServer(async ({ engine, base }) => {
			expect((await post(base + path, '{}1234', { 'inference-header-content-length': header })).status).toBe(200);
			expect(engine.requests).toMatchObject([{ jsonBytes: Number(header) }]);
		}),
	);

	test.each([
		['7', 'inference header size should be in range (0, 6), got: 7'],
		['-1', 'inference header size should be in range (0, 6), got: -1'],
		['soon', 'Unable to parse Inference-Header-Content-Length, got: soon'],
		['2e1', 'Unable to parse Inference-Header-Content-Length, got: 2e1'],
		['2147483648', 'Unable to parse Inference-Header-Content-Length, got: 2147483648'],
		['99999999999999999999', 'Unable to parse Inference-Header-Content-Length, got: 99999999999999999999'],
	])('Inference-Header-Content-Length: %s of six bytes is refused, and the server lives', (header, error) =>
		withFakeServer(async ({ engine, base }) => {
			const answer = await post(base + path, '{}1234', { 'inference-header-content-length': header, 'x-request-id': 'r' });
			expect(answer.status).toBe(400);
			expect(answer.json()).toEqual({ error, code: 'INVALID_ARGUMENT', request_id: 'r' });
			expect(engine.requests).toEqual([]);
			expect((await post(base + path, '{}')).status).toBe(200);
		}),
	);

	test.each([
		['gzip', gzipSync],
		['GZIP', gzipSync],
		['deflate', deflateSync],
		['identity', (body: string) => body],
	])('Content-Encoding: %s is unpacked; the header counts unpacked bytes', (encoding, packed) =>
		withFakeServer(async ({ engine, base }) => {
			const headers = { 'content-encoding': encoding, 'inference-header-content-length': '2' };
			expect((await post(base + path, packed('{}1234'), headers)).status).toBe(200);
			expect(engine.requests[0]).toMatchObject({ jsonBytes: 2 });
			expect(engine.requests[0]?.bytes.toString()).toBe('{}1234');
		}),
	);

	test('chunked and compressed parts arrive whole', () =>
		withFakeServer(async ({ engine, base }) => {
			const packed = gzipSync(Buffer.alloc(300_000, '{"inputs":'));
			const parts = [packed.subarray(0, 10), packed.subarray(10, 200), packed.subarray(200)];
			expect((await post(base + path, parts, { 'content-encoding': 'gzip' })).status).toBe(200);
			expect(engine.requests[0]?.bytes.byteLength).toBe(300_000);
		}));

	test('an unknown Content-Encoding is 501 and told what is known', () =>
		withFakeServer(async ({ engine, base }) => {
			const answer = await post(base + path, '{}', { 'content-encoding': 'br' });
			expect(answer).toMatchObject({ status: 501, headers: { 'accept-encoding': 'gzip, deflate' } });
			expect(answer.json()).toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
			expect(engine.requests).toEqual([]);
		}));

	test('what is not packed as it says is 400', () =>
		withFakeServer(async ({ base }) => {
			const answer = await post(base + path, '{"inputs":[]}', { 'content-encoding': 'gzip' });
			expect(answer.status).toBe(400);
			expect(answer.json()).toMatchObject({ code: 'INVALID_BODY', error: expect.stringContaining('gzip') });
		}));

	test.each([
		['as it is', {}, (body: Buffer) => body],
		['in chunks', {}, (body: Buffer) => [body.subarray(0, 1500), body.subarray(1500)]],
		['unpacked', { 'content-encoding': 'gzip' }, (body: Buffer) => gzipSync(body)],
	])('a body that is too large %s is 413', (_, headers, sent) =>
		withFakeServer(
			async ({ engine, base }) => {
				const answer = await post(base + path, sent(Buffer.alloc(3000)), headers);
				expect(answer.status).toBe(413);
				expect(answer.json()).toMatchObject({ code: 'TOO_LARGE', error: expect.stringContaining('2048') });
				expect(engine.requests).toEqual([]);
				expect((await post(base + path, Buffer.alloc(2048))).status).toBe(200);
			},
			{ httpMaxInputSize: 2048 },
		),
	);

	test('a body of /v2 may be larger than one of /v1', () =>
		withFakeServer(
			async ({ engine, base }) => {
				expect((await post(base + path, Buffer.alloc(100_000))).status).toBe(200);
				expect(engine.requests[0]?.bytes.byteLength).toBe(100_000);
			},
			{ maxFrameBytes: 1024 },
		));

	test('headers that make no sense are refused', () =>
		withFakeServer(async ({ base }) => {
			const answer = await post(base + path, '{}', { 'x-deadline-ms': 'soon' });
			expect(answer.status).toBe(400);
			expect(answer.json()).toMatchObject({ code: 'INVALID_ARGUMENT', error: expect.stringContaining('X-Deadline-Ms') });
		}));

	test('a caller who goes while the engine works is not waited for', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.isHeld = true;
			const agent = new Agent();
			const gone = http(base + path, { method: 'POST', body: '{}', agent });
			gone.catch(() => {});
			await vi.waitUntil(() => engine.requests.length === 1);
			agent.destroy();
			for (const sockets of Object.values(agent.sockets)) for (const socket of sockets ?? []) socket.destroy();
			await expect(gone).rejects.toThrow();
			await vi.waitUntil(() => engine.cancelled.length === 1);
		}));
});

describe('an answer', () => {
	test('with tensors behind its JSON says how much is JSON', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ body: Buffer.from('{"outputs":[]}1234'), jsonBytes: 14 });
			const answer = await post(base + path, '{}');
			expect(answer).toMatchObject({
				status: 200,
				headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': '14', 'content-length': '18' },
			});
			expect(answer.body.toString()).toBe('{"outputs":[]}1234');
		}));

	const large = Buffer.from(`{"outputs":"${'x'.repeat(5000)}"}1234`);

	test.each([
		['gzip', 'gzip', gunzipSync],
		['deflate', 'deflate', inflateSync],
		['deflate, gzip;q=0.5', 'deflate', inflateSync],
		['gzip;q=0.2, deflate;q=0.8, br', 'deflate', inflateSync],
		['gzip;q=0, identity', undefined, (body: Buffer) => body],
		['br, *', undefined, (body: Buffer) => body],
		['', undefined, (body: Buffer) => body],
	])('Accept-Encoding: %s gets %s', (accepted, encoding, unpacked) =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ body: large, jsonBytes: large.byteLength - 4 });
			const answer = await post(base + path, '{}', accepted === '' ? {} : { 'accept-encoding': accepted });
			expect(answer.headers['content-encoding']).toBe(encoding);
			expect(answer.headers['inference-header-content-length']).toBe(String(large.byteLength - 4));
			expect(answer.headers['content-length']).toBe(String(answer.body.byteLength));
			expect(Buffer.from(unpacked(answer.body))).toEqual(large);
		}),
	);

	test('a small answer is not worth packing', () =>
		withFakeServer(async ({ base }) => {
			expect((await post(base + path, '{}', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
		}));

	test('packed answers are waited for while the server drains', () =>
		withFakeServer(async ({ engine, app, base }) => {
			engine.answer = () => ({ body: large });
			engine.isHeld = true;
			const answer = post(base + path, '{}', { 'accept-encoding': 'gzip' });
			await vi.waitUntil(() => engine.requests.length === 1);
			const drained = app.drain(5000);
			engine.release();
			expect(gunzipSync((await answer).body)).toEqual(large);
			expect(await drained).toBe(true);
		}));

	test.each<[CodeName, number]>([
		['UNKNOWN_MODEL', 404],
		['INVALID_ARGUMENT', 400],
		['INVALID_SHAPE', 500],
		['UNSUPPORTED_OPERATION', 501],
		['DEADLINE_EXCEEDED', 503],
		['MODEL_FAILED', 500],
	])('%s has status %i', (code, status) =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ code, body: { error: 'words', code, request_id: null } });
			const answer = await post(base + path, '{}');
			expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } });
			expect(status).toBe(catalogue[code].oipStatus);
			expect(answer.json()['error']).toBe('words');
		}),
	);

	test('overload says when to come back', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ code: 'OVERLOADED', retryAfterMs: 1200, body: { error: 'Exceeds maximum queue size' } });
			const { status, headers } = await post(base + path, '{}');
			expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '2' });
		}));

	test('Server-Timing says where the time went', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => ({ queueUs: 1234, computeUs: 70, body: {} });
			expect((await post(base + path, '{}')).headers['server-timing']).toMatch(/^queue;dur=1\.234, compute;dur=0\.07, total;dur=/);
		}));
});
