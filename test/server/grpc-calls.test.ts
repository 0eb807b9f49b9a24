/** The gRPC front over an engine that answers as it is told: which status, which deadline, who is cancelled, how it ends. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type CallOptions, Client, credentials, Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type CodeName, catalogue } from '../../src/errors.js';
import { Codec, Operation } from '../../src/native/addon.js';
import { ask, echoEngine, refusal } from '../support/echo-engine.js';
import { FakeEngine } from '../support/fake-engine.js';
import { GrpcClient } from '../support/grpc-client.js';
import { withGrpc } from '../support/with-grpc.js';

describe('ModelInfer', () => {
	test('asks the engine as HTTP does, and answers with the bytes of its tensors', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ client, traffic }) => {
			const metadata = new Metadata();
			metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
			const answer = await client.call('ModelInfer', { ...ask, model_version: '3' }, { metadata });
			expect(answer).toMatchObject({
				id: 'a',
				model_name: 'm',
				model_version: '1',
				outputs: [{ name: 'y', datatype: 'INT32', shape: ['2'] }],
			});
			expect(answer.raw_output_contents).toEqual([Buffer.from(Int32Array.of(1, -2).buffer)]);
			const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
			expect(engine.requests).toMatchObject([{ codec: Codec.oip, operation: Operation.infer, target: 'm@3', traceparent }]);
			expect(traffic.read('grpcRequests')).toBe(1);
			expect(traffic.read('sentBytes')).toBeGreaterThan(8);
		});
	});

	test('gives the engine what is left of its deadline, and nothing where there is none', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ port, client }) => {
			await client.call('ModelInfer', ask, { deadline: Date.now() + 5000 });
			expect(engine.requests[0]?.deadlineMs).toBeGreaterThan(0);
			expect(engine.requests[0]?.deadlineMs).toBeLessThanOrEqual(5000);
			await withoutDeadline(port);
			expect(engine.requests[1]?.deadlineMs).toBeUndefined();
		});
	});

	test.each(Object.keys(catalogue).filter((code) => code !== 'OK' && code !== 'INTERNAL' && code !== 'MODEL_FAILED') as CodeName[])(
		'%s ends the call with its status, its words and its code',
		(code) => {
			const engine = new FakeEngine();
			engine.answer = () => refusal(code, 'say "why"\n', 250);
			return withGrpc(engine, async ({ client }) => {
				const error = await client.call('ModelInfer', ask).catch((thrown) => thrown);
				expect(error).toMatchObject({ code: catalogue[code].grpc, details: 'say "why"\n' });
				expect(error.metadata.getMap()).toMatchObject({ 'rankd-code': code, 'grpc-retry-pushback-ms': '250' });
			});
		},
	);

	test('words of any length and kind reach the caller', () => {
		const engine = new FakeEngine();
		engine.answer = () => refusal('INVALID_BODY', `half a pair \ud800 ${'日'.repeat(5000)}`);
		return withGrpc(engine, async ({ client }) => {
			await expect(client.call('ModelInfer', ask)).rejects.toMatchObject({
				code: status.INVALID_ARGUMENT,
				details: expect.stringMatching(/^half a pair � 日+ …$/u),
			});
		});
	});

	test('a caller that goes takes its request along', () => {
		const engine = echoEngine();
		engine.isHeld = true;
		return withGrpc(engine, async ({ client }) => {
			await expect(client.call('ModelInfer', ask, { deadline: Date.now() + 50 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
			await vi.waitUntil(() => engine.cancelled.length === 1);
		});
	});

	test('what is no request is refused with the reason, and counted', () =>
		withGrpc(echoEngine(), async ({ client, traffic }) => {
			await expect(client.callWithBytes('ModelInfer', Buffer.from([0x0a, 200]))).rejects.toMatchObject({
				code: status.INVALID_ARGUMENT,
				details: expect.stringContaining('the message is no ModelInferRequest'),
			});
			expect(traffic.errors()).toEqual({ INVALID_BODY: 1 });
		}));

	test('a message larger than http_max_input_size is refused', () =>
		withGrpc(
			echoEngine(),
			async ({ client }) => {
				await expect(client.callWithBytes('ModelInfer', Buffer.alloc(5000))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
			},
			{ httpMaxInputSize: 4096 },
		));

	test.each(['gzip', 'deflate'])('a message packed with %s is unpacked', (encoding) => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ port }) => {
			const client = new GrpcClient(port, undefined, { 'grpc.default_compression_algorithm': encoding === 'gzip' ? 2 : 1 });
			try {
				expect((await client.call('ModelInfer', ask)).raw_output_contents).toEqual([Buffer.from(Int32Array.of(1, -2).buffer)]);
			} finally {
				client.close();
			}
		});
	});

	test('any bytes, to any method, end with a status; the thread goes on', () =>
		withGrpc(echoEngine(), async ({ client }) => {
			const methods = fc.constantFrom(
				'ModelInfer',
				'ModelMetadata',
				'ModelStatistics',
				'TraceSetting',
				'ServerLive',
				'CudaSharedMemoryStatus',
			);
			await fc.assert(
				fc.asyncProperty(methods, fc.uint8Array({ maxLength: 100 }), async (method, bytes) => {
					const code = await client.callWithBytes(method, Buffer.from(bytes)).then(
						() => status.OK,
						(error) => error.code,
					);
					expect([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.UNIMPLEMENTED]).toContain(code);
				}),
				{ numRuns: 300 },
			);
			expect(await client.call('ServerLive')).toEqual({ live: true });
		}));
});

describe('ModelStreamInfer', () => {
	test('answers each message, an error by its words, and ends when its caller does', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ client }) => {
			const damaged = Buffer.from([0x0a, 200]);
			const answers = await client.stream('ModelStreamInfer', [ask, damaged, { ...ask, id: 'b' }]);
			const byId = new Map(answers.map((answer) => [answer.infer_response.id, answer]));
			expect(byId.get('a')).toMatchObject({ error_message: '', infer_response: { model_name: 'm', parameters: {} } });
			expect(byId.get('b')).toMatchObject({ error_message: '' });
			expect(byId.get('')).toMatchObject({ error_message: expect.stringContaining('the message is no ModelInferRequest') });
		});
	});

	test('answers leave as they are ready', () => {
		const engine = echoEngine();
		engine.isHeld = true;
		return withGrpc(engine, async ({ client }) => {
			const stream = client.openStream('ModelStreamInfer');
			const answers: string[] = [];
			stream.on('data', (answer) => answers.push(answer.error_message || answer.infer_response.id));
			stream.write({ ...ask, id: 'slow' });
			await vi.waitUntil(() => engine.requests.length === 1);
			stream.write({ ...ask, inputs: [{ ...ask.inputs[0], datatype: 'FP32' }] });
			await vi.waitUntil(() => answers.length === 1);
			engine.release();
			await vi.waitUntil(() => answers.length === 2);
			expect(answers).toEqual([expect.stringContaining('unexpected explicit tensor data'), 'slow']);
			stream.end();
			await once(stream, 'end');
		});
	});

	test('a caller that wants the last answer marked gets the mark, also on an error', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ client }) => {
			const marked = { ...ask, parameters: { triton_enable_empty_final_response: { bool_param: true } } };
			const refused = { ...marked, id: 'b' };
			const { answer } = engine;
			engine.answer = (request) => (request.ticket === 0 ? answer(request) : refusal('UNKNOWN_MODEL', 'no such model'));
			for (const { infer_response } of await client.stream('ModelStreamInfer', [marked, refused]))
				expect(infer_response.parameters).toMatchObject({ triton_final_response: { bool_param: true } });
			expect(engine.requests[0]?.bytes.toString()).not.toContain('triton_');
		});
	});

	test('any number of messages is answered, however slowly they are read', () => {
		const engine = echoEngine();
		return withGrpc(engine, async ({ client }) => {
			const stream = client.openStream('ModelStreamInfer');
			for (let id = 0; id < 2000; id++) stream.write({ ...ask, id: String(id) });
			stream.end();
			const ids = new Set<string>();
			for await (const { infer_response } of stream) ids.add(infer_response.id);
			expect(ids.size).toBe(2000);
		});
	});

	test('a caller that goes takes all its requests along', () => {
		const engine = echoEngine();
		engine.isHeld = true;
		return withGrpc(engine, async ({ client }) => {
			const stream = client.openStream('ModelStreamInfer');
			stream.on('error', () => {});
			for (const id of ['a', 'b', 'c']) stream.write({ ...ask, id });
			await vi.waitUntil(() => engine.requests.length === 3);
			stream.cancel();
			await vi.waitUntil(() => engine.cancelled.length === 3);
		});
	});
});

describe('a server that goes', () => {
	test('answers what it has read, ends streams, and takes nothing new', () => {
		const engine = echoEngine();
		engine.isHeld = true;
		return withGrpc(engine, async ({ client, server }) => {
			const stream = client.openStream('ModelStreamInfer');
			const streamed: string[] = [];
			stream.on('data', ({ infer_response }) => streamed.push(infer_response.id));
			const ended = new Promise((resolve) => stream.on('error', resolve));
			stream.write({ ...ask, id: 'streamed' });
			const unary = client.call('ModelInfer', ask);
			await vi.waitUntil(() => engine.requests.length === 2);
			const drained = server.drain(10_000);
			await delay(20);
			engine.release();
			expect(await unary).toMatchObject({ id: 'a' });
			expect(await drained).toBe(true);
			expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
			expect(streamed).toEqual(['streamed']);
			expect(engine.isDraining).toBe(true);
		});
	});

	test('says when it could not answer everything in time', () => {
		const engine = echoEngine();
		engine.isHeld = true;
		return withGrpc(engine, async ({ client, server }) => {
			const unary = client.call('ModelInfer', ask).catch((error) => error);
			await vi.waitUntil(() => engine.requests.length === 1);
			expect(await server.drain(50)).toBe(false);
			server.close();
			expect(await unary).toMatchObject({ code: expect.any(Number) });
			expect(engine.isDetached).toBe(true);
		});
	});
});

async function withoutDeadline(port: number): Promise<void> {
	const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
	const options: CallOptions = {};
	const asIs = (bytes: Buffer) => bytes;
	await new Promise<void>((resolve, reject) =>
		client.makeUnaryRequest('/inference.GRPCInferenceService/ModelInfer', asIs, asIs, Buffer.alloc(0), options, (error) =>
			error === null ? resolve() : reject(error),
		),
	);
	client.close();
}
