/** Metadata, health, statistics and what is refused under /v2, in front of a fake engine. */
import { describe, expect, test } from 'vitest';
import type { ModelInfo } from '../../src/native/addon.js';
import { fakeModel } from '../support/fake-engine.js';
import { counted, fakeInference } from '../support/fake-inference.js';
import { http, post } from '../support/http-request.js';
import { withFakeServer } from '../support/with-fake-server.js';

const simple: ModelInfo = {
	...fakeModel,
	name: 'simple',
	version: '1',
	kind: 'model',
	operations: ['infer'],
	aliases: [],
	inputs: [{ name: 'INPUT0', datatype: 'INT32', shape: [-1, 16] }],
	outputs: [{ name: 'OUTPUT0', datatype: 'INT32', shape: [-1, 16] }],
	maxBatchSize: 8,
};
const threeVersions = ['1', '2', '10'].map((version) => ({ ...simple, version, aliases: version === '2' ? ['stable'] : [] }));

describe('metadata', () => {
	test('GET /v2 names the server, its version and the extensions it has', () =>
		withFakeServer(
			async ({ base }) => {
				const body = (await http(`${base}/v2`)).json();
				expect(body).toEqual({ name: 'triton', version: expect.any(String), extensions: expect.arrayContaining(['binary_tensor_data']) });
				expect(body['extensions']).not.toContain('system_shared_memory');
			},
			{ id: 'triton' },
		));

	test('GET /v2/models/{model} lists the versions in service and the tensors', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.served = threeVersions;
			expect((await http(`${base}/v2/models/simple`)).json()).toEqual({
				name: 'simple',
				versions: ['1', '2', '10'],
				platform: 'onnxruntime_onnx',
				inputs: simple.inputs,
				outputs: simple.outputs,
			});
		}));

	test.each([
		['simple/versions/2', ['2']],
		['simple/versions/10', ['10']],
		['simple%40stable', ['2']],
		['simple/versions/stable', ['2']],
	])('GET /v2/models/%s is about one version', (path, versions) =>
		withFakeServer(async ({ engine, base }) => {
			engine.served = threeVersions;
			expect((await http(`${base}/v2/models/${path}`)).json()).toMatchObject({ name: 'simple', versions });
		}),
	);

	test('GET /v2/models lists names, each once', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.served = [...threeVersions, fakeModel];
			expect((await http(`${base}/v2/models`)).json()).toEqual({ models: ['simple', 'tiny'] });
		}));

	test.each([
		['films', "Request for unknown model: 'films' is not found; loaded: tiny"],
		['tiny/versions/9', "Request for unknown model: 'tiny' version 9 is not found; loaded: 1.0.0"],
	])('GET /v2/models/%s, which is unknown', (path, error) =>
		withFakeServer(async ({ base }) => {
			for (const suffix of ['', '/ready']) {
				const answer = await http(`${base}/v2/models/${path}${suffix}`);
				expect(answer.status).toBe(404);
				expect(answer.json()).toMatchObject({ error });
			}
		}),
	);
});

describe('health', () => {
	test('KServe reads the body, Triton the status', () =>
		withFakeServer(async ({ base }) => {
			expect((await http(`${base}/v2/health/live`)).json()).toEqual({ live: true });
			expect((await http(`${base}/v2/health/ready`)).json()).toEqual({ ready: true });
			expect((await http(`${base}/v2/models/tiny/ready`)).json()).toEqual({ name: 'tiny', ready: true });
			expect((await http(`${base}/v2/models/tiny/versions/1.0.0/ready`)).json()).toEqual({ name: 'tiny', ready: true });
		}));

	test('without a model the server is not ready', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.served = [];
			const answer = await http(`${base}/v2/health/ready`);
			expect(answer.status).toBe(503);
			expect(answer.json()).toMatchObject({ ready: false, code: 'MODEL_NOT_READY', error: expect.any(String) });
		}));

	test('under explicit control it is ready to be asked for models', () =>
		withFakeServer(
			async ({ engine, base }) => {
				engine.served = [];
				expect((await http(`${base}/v2/health/ready`)).status).toBe(200);
			},
			{ modelControl: 'explicit' },
		));
});

describe('statistics', () => {
	test("are the engine's counters in the protocol's shape", () =>
		withFakeServer(async ({ engine, base }) => {
			engine.served = threeVersions;
			const stats = engine.stats();
			engine.stats = () => ({ ...stats, models: threeVersions, inference: [fakeInference('simple', '1'), fakeInference('simple', '2')] });
			expect((await http(`${base}/v2/models/simple/versions/2/stats`)).json()).toEqual({
				model_stats: [
					{
						name: 'simple',
						version: '2',
						last_inference: 5,
						inference_count: 12,
						execution_count: 2,
						inference_stats: {
							success: counted(3),
							fail: counted(1),
							queue: counted(3),
							compute_input: counted(3),
							compute_infer: counted(3),
							compute_output: counted(3),
							cache_hit: counted(0),
							cache_miss: counted(0),
						},
						response_stats: {},
						batch_stats: [{ batch_size: 4, compute_input: counted(2), compute_infer: counted(2), compute_output: counted(2) }],
						memory_usage: [],
					},
				],
			});
			for (const path of ['stats', 'simple/stats']) expect((await http(`${base}/v2/models/${path}`)).json()['model_stats']).toHaveLength(2);
		}));

	test('of an unknown model are 400, as with Triton', () =>
		withFakeServer(async ({ base }) => {
			const answer = await http(`${base}/v2/models/films/stats`);
			expect(answer.status).toBe(400);
			expect(answer.json()['error']).toContain("requested model 'films' is not available");
		}));
});

describe('what is not done', () => {
	test('traces are off; repeating a setting is no change, changing one is 501', () =>
		withFakeServer(async ({ base }) => {
			for (const path of ['/v2/trace/setting', '/v2/models/tiny/trace/setting']) {
				const settings = (await http(base + path)).json();
				expect(settings).toMatchObject({ trace_level: ['OFF'], trace_rate: '1000' });
				expect((await post(base + path, JSON.stringify(settings))).json()).toEqual(settings);
				const changed = await post(base + path, '{"trace_level":["TIMESTAMPS"]}');
				expect(changed.status).toBe(501);
				expect(changed.json()).toMatchObject({ code: 'UNSUPPORTED_FEATURE', error: expect.stringContaining('traceparent') });
				expect((await post(base + path, '{"trace_level":[[1]]}')).status).toBe(400);
			}
		}));

	test.each(['system', 'cuda'])('%s shared memory: nothing is registered, nothing can be', (kind) =>
		withFakeServer(async ({ base }) => {
			const url = `${base}/v2/${kind}sharedmemory`;
			const all = await http(`${url}/status`);
			expect({ status: all.status, body: all.body.toString() }).toEqual({ status: 200, body: '[]\n' });
			expect((await http(`${url}/region/r/status`)).json()['error']).toBe(`Unable to find ${kind} shared memory region: 'r'`);
			const register = await post(`${url}/region/r/register`, '{"key":"/r","byte_size":8}');
			expect(register.status).toBe(501);
			expect(register.json()['error']).toContain('not supported');
			expect((await post(`${url}/unregister`, '')).status).toBe(200);
			expect((await post(`${url}/region/r/unregister`, '')).status).toBe(200);
		}),
	);

	test.each(['/v2/nothing', '/v2/models/m/nothing', '/v2/models//infer', '/v2/models/m/versions/1/2/infer', '/base/v2/nothing', '/v2//'])(
		'%s is not found',
		(path) =>
			withFakeServer(async ({ base }) => {
				for (const method of ['GET', 'POST', 'PUT']) {
					const answer = await http(base + path, { method });
					expect(answer).toMatchObject({ status: 404, headers: { 'content-type': 'application/json' } });
					expect(answer.json()).toEqual({ error: 'Not Found', code: 'NOT_FOUND', request_id: null });
				}
			}),
	);

	test.each([
		['GET', '/v2/models/m/infer', 'POST'],
		['HEAD', '/v2/models/m/infer', 'POST'],
		['POST', '/v2', 'GET, HEAD'],
		['DELETE', '/v2/models/m', 'GET, HEAD'],
		['PUT', '/v2/trace/setting', 'GET, HEAD, POST'],
	])('%s %s is no method of its path', (method, path, allowed) =>
		withFakeServer(async ({ base }) => {
			const answer = await http(base + path, { method });
			expect(answer).toMatchObject({ status: 405, headers: { allow: allowed } });
			if (method !== 'HEAD') expect(answer.json()).toMatchObject({ error: 'Method Not Allowed' });
		}),
	);

	test('a path that is no percent-encoded text is 400', () =>
		withFakeServer(async ({ base }) => {
			expect(await http(`${base}/v2/models/%ff/ready`)).toMatchObject({ status: 400 });
		}));

	test('HEAD answers as GET does, without a body', () =>
		withFakeServer(async ({ base }) => {
			for (const path of ['/v2', '/v2/health/ready', '/v2/models/tiny', '/v2/docs']) {
				const [head, get] = [await http(base + path, { method: 'HEAD' }), await http(base + path)];
				expect(head).toMatchObject({ status: get.status, headers: { 'content-length': get.headers['content-length'] } });
				expect(head.body.byteLength).toBe(0);
			}
		}));

	test('a slash at the end changes nothing', () =>
		withFakeServer(async ({ base }) => {
			for (const path of ['/v2/', '/v2/health/live/', '/v2/models/tiny/']) expect((await http(base + path)).status).toBe(200);
		}));
});

describe('restricted calls', () => {
	const flags = { httpRestrictedApi: ['metadata,statistics:admin-key=s3:cret=', 'inference:infer-key=i'] };

	test('need the header of their group', () =>
		withFakeServer(async ({ base }) => {
			for (const headers of [{}, { 'admin-key': 's3' }, { 'infer-key': 's3:cret=' }] as Record<string, string>[]) {
				const answer = await http(`${base}/v2`, { headers });
				expect(answer.status).toBe(403);
				expect(answer.json()).toMatchObject({ error: "This API is restricted, expecting header 'admin-key'", code: 'RESTRICTED' });
			}
			expect((await http(`${base}/v2`, { headers: { 'Admin-Key': 's3:cret=' } })).status).toBe(200);
			expect((await post(`${base}/v2/models/tiny/infer`, '{}')).status).toBe(403);
			expect((await post(`${base}/v2/models/tiny/infer`, '{}', { 'infer-key': 'i' })).status).toBe(200);
			expect((await http(`${base}/v2/health/live`)).status).toBe(200);
		}, flags));
});
