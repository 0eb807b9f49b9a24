/** What gRPC tells of the server and its models, and what it asks of the main thread. */
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test, vi } from 'vitest';
import { EngineError } from '../../src/errors.js';
import { ask, echoEngine } from '../support/echo-engine.js';
import { type FakeEngine, fakeModel } from '../support/fake-engine.js';
import { GrpcClient } from '../support/grpc-client.js';
import { withGrpc } from '../support/with-grpc.js';

describe('what the server tells of itself', () => {
	const tensor = { name: 'x', datatype: 'FP32', shape: [-1, 4] };
	const model = {
		...fakeModel,
		name: 'm',
		version: '3',
		operations: ['infer' as const],
		inputs: [tensor],
		outputs: [{ ...tensor, name: 'y' }],
	};

	function modelEngine(): FakeEngine {
		const engine = echoEngine();
		engine.served = [model];
		return engine;
	}

	test('it lives, and is ready while models serve', () => {
		const engine = modelEngine();
		return withGrpc(engine, async ({ client }) => {
			expect(await client.call('ServerLive')).toEqual({ live: true });
			expect(await client.call('ServerReady')).toEqual({ ready: true });
			expect(await client.call('ModelReady', { name: 'm' })).toEqual({ ready: true });
			expect(await client.call('ModelReady', { name: 'm', version: '3' })).toEqual({ ready: true });
			expect(await client.call('ModelReady', { name: 'm', version: '2' })).toEqual({ ready: false });
			expect(await client.call('ModelReady', { name: 'n' })).toEqual({ ready: false });
			engine.served = [];
			expect(await client.call('ServerReady')).toEqual({ ready: false });
		});
	});

	test('metadata is what REST tells', () =>
		withGrpc(
			modelEngine(),
			async ({ client }) => {
				expect(await client.call('ServerMetadata')).toMatchObject({ name: 'triton', extensions: expect.arrayContaining(['statistics']) });
				expect(await client.call('ModelMetadata', { name: 'm' })).toEqual({
					name: 'm',
					versions: ['3'],
					platform: 'onnxruntime_onnx',
					inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '4'] }],
					outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '4'] }],
				});
			},
			{ id: 'triton' },
		));

	test('metadata of a model that is not there is NOT_FOUND', () =>
		withGrpc(modelEngine(), async ({ client }) => {
			await expect(client.call('ModelMetadata', { name: 'n' })).rejects.toMatchObject({
				code: status.NOT_FOUND,
				details: expect.stringContaining("Request for unknown model: 'n' is not found"),
			});
		}));

	test('trace settings are told, and refuse to change', () =>
		withGrpc(modelEngine(), async ({ client }) => {
			expect((await client.call('TraceSetting')).settings).toMatchObject({
				trace_level: { value: ['OFF'] },
				trace_rate: { value: ['1000'] },
			});
			const same = { settings: { trace_level: { value: ['OFF'] }, trace_rate: { value: [] } } };
			expect((await client.call('TraceSetting', same)).settings).toMatchObject({ trace_count: { value: ['-1'] } });
			const change = { settings: { trace_level: { value: ['TIMESTAMPS'] } } };
			await expect(client.call('TraceSetting', change)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
		}));

	test.each(['System', 'Cuda'])('%s shared memory has no region and takes none', (kind) =>
		withGrpc(modelEngine(), async ({ client }) => {
			expect(await client.call(`${kind}SharedMemoryStatus`)).toEqual({ regions: {} });
			expect(await client.call(`${kind}SharedMemoryUnregister`)).toEqual({});
			await expect(client.call(`${kind}SharedMemoryRegister`, { name: 'r' })).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
		}),
	);

	test('a restricted group needs its header, as it is or as Triton writes it', () =>
		withGrpc(
			modelEngine(),
			async ({ client }) => {
				await expect(client.call('ServerMetadata')).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
				await expect(client.call('ModelInfer', ask)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
				await expect(client.stream('ModelStreamInfer', [ask])).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
				expect(await client.call('ServerLive')).toEqual({ live: true });
				for (const name of ['admin-key', 'triton-grpc-protocol-admin-key']) {
					const metadata = new Metadata();
					metadata.set(name, 'secret');
					expect(await client.call('ServerMetadata', {}, { metadata })).toMatchObject({ name: 'rankd' });
				}
			},
			{ httpRestrictedApi: ['metadata,inference:Admin-Key=secret'] },
		));
});

describe('what the main thread is asked', () => {
	test('the index of the repository, all of it or what is ready', () =>
		withGrpc(echoEngine(), async ({ client, repository }) => {
			const { models } = await client.call('RepositoryIndex', { ready: true });
			expect(models).toEqual([
				{ name: 'simple', version: '1', state: 'READY', reason: '' },
				{ name: 'films', version: '', state: '', reason: '' },
			]);
			expect(repository.calls).toEqual([['index', { ready: true }]]);
		}));

	test('loads with a configuration and files, and unloads; KServe names the model in another field', () =>
		withGrpc(echoEngine(), async ({ client, repository }) => {
			const parameters = { config: { string_param: '{}' }, 'file:1/model.onnx': { bytes_param: Buffer.from('onnx') } };
			expect(await client.call('RepositoryModelLoad', { model_name: 'm', parameters })).toEqual({ model_name: 'm', isLoaded: true });
			await client.call('RepositoryModelLoad', { repository_name: 'k' });
			const dependents = { unload_dependents: { bool_param: true } };
			await client.call('RepositoryModelUnload', { model_name: 'm', parameters: dependents });
			expect(repository.calls).toEqual([
				['load', 'm', { config: '{}', files: { '1/model.onnx': Uint8Array.from(Buffer.from('onnx')) } }],
				['load', 'k', { files: {} }],
				['unload', 'm', { unloadDependents: true }],
			]);
		}));

	test.each([
		['RepositoryIndex', { repository_name: 'r' }, status.UNIMPLEMENTED],
		['RepositoryModelLoad', { repository_name: 'r', model_name: 'm' }, status.UNIMPLEMENTED],
		['RepositoryModelLoad', { model_name: 'm', parameters: { x: { string_param: '' } } }, status.INVALID_ARGUMENT],
		['RepositoryModelLoad', { model_name: 'm', parameters: { 'file:a': { string_param: '' } } }, status.INVALID_ARGUMENT],
		['RepositoryModelLoad', { model_name: 'm', parameters: { config: { bool_param: true } } }, status.INVALID_ARGUMENT],
	])('%s of %j is refused', (method, request, code) =>
		withGrpc(echoEngine(), async ({ client, repository }) => {
			await expect(client.call(method, request)).rejects.toMatchObject({ code });
			expect(repository.calls).toEqual([]);
		}),
	);

	test('a file of a load may be large, a message of many fields may not, nor any other message', () =>
		withGrpc(echoEngine(), async ({ client, repository }) => {
			const content = Buffer.alloc(5 * 1024 * 1024, 7);
			await client.call('RepositoryModelLoad', { model_name: 'm', parameters: { 'file:1/model.onnx': { bytes_param: content } } });
			const [[, , { files }]] = repository.calls as [[string, string, { files: Record<string, Uint8Array> }]];
			expect(Buffer.compare(files['1/model.onnx'] as Uint8Array, content)).toBe(0);
			const fields = Buffer.alloc(2 * 1024 * 1024, Buffer.from([0x1a, 0]));
			await expect(client.callWithBytes('RepositoryModelLoad', fields)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
			await expect(client.callWithBytes('TraceSetting', fields)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
		}));

	test('what the repository refuses has its status', () =>
		withGrpc(echoEngine(), async ({ client, repository }) => {
			repository.refusal = new EngineError('BUNDLE_INVALID', "failed to load 'm', failed to poll from model repository");
			await expect(client.call('RepositoryModelLoad', { model_name: 'm' })).rejects.toMatchObject({
				code: status.INTERNAL,
				details: "failed to load 'm', failed to poll from model repository",
			});
		}));

	test('log settings are told, changed, and hold on this thread', () =>
		withGrpc(
			echoEngine(),
			async ({ client }) => {
				expect((await client.call('LogSettings')).settings).toMatchObject({
					log_info: { bool_param: true },
					log_verbose_level: { uint32_param: 0 },
					log_format: { string_param: 'default' },
				});
				const changes = { settings: { log_verbose_level: { uint32_param: 1 }, log_warning: { bool_param: false }, log_error: {} } };
				const changed = { log_verbose_level: { uint32_param: 1 }, log_warning: { bool_param: false }, log_error: { bool_param: true } };
				expect((await client.call('LogSettings', changes)).settings).toMatchObject(changed);
				expect((await client.call('LogSettings')).settings).toMatchObject(changed);
				const moved = { settings: { log_file: { string_param: 'x.log' } } };
				await expect(client.call('LogSettings', moved)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
				const wrong = { settings: { log_info: { string_param: 'yes' } } };
				await expect(client.call('LogSettings', wrong)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
			},
			{ logLevel: 'info' },
		));
});

describe('health checks', () => {
	test('Check knows the server and its services', () =>
		withGrpc(echoEngine(), async ({ port }) => {
			const health = new GrpcClient(port, 'grpc.health.v1.Health');
			try {
				expect(await health.call('Check')).toEqual({ status: 'SERVING' });
				expect(await health.call('Check', { service: 'inference.GRPCInferenceService' })).toEqual({ status: 'SERVING' });
				await expect(health.call('Check', { service: 'x' })).rejects.toMatchObject({ code: status.NOT_FOUND });
			} finally {
				health.close();
			}
		}));

	test('Watch tells every change, and that the server goes', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ port, server }) => {
			const health = new GrpcClient(port, 'grpc.health.v1.Health');
			const told: string[] = [];
			const watched = (async () => {
				for await (const { status } of health.watch('Watch', {})) told.push(status);
			})();
			await vi.waitUntil(() => told.length === 1);
			const { served } = engine;
			engine.served = [];
			await vi.waitUntil(() => told.length === 2);
			engine.served = served;
			await vi.waitUntil(() => told.length === 3);
			await server.drain(5000);
			await watched;
			expect(told).toEqual(['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING']);
			health.close();
		});
	});
});
