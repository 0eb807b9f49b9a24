/** gRPC before the real engine and a repository in Triton's layout: answers, errors and counts are those of the models. */
import { status } from '@grpc/grpc-js';
import { describe, expect, test, vi } from 'vitest';
import type { GrpcClient } from '../support/grpc-client.js';
import { withGrpc } from '../support/with-grpc.js';
import { tritonModels, withServer } from '../support/with-server.js';

const serve = (run: (client: GrpcClient) => Promise<void>) =>
	withServer(({ engine, oip }) => withGrpc(engine, ({ client }) => run(client), {}, oip), { modelRepository: [tritonModels] });

const numbers = Array.from({ length: 16 }, (_, at) => at);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);
const raw = bytesOf(Int32Array.from(numbers));
const sums = bytesOf(Int32Array.from(numbers, (number) => 2 * number));
const pair = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16] }));
const simple = { model_name: 'simple', inputs: pair, raw_input_contents: [raw, raw] };

describe('ModelInfer', () => {
	test('computes raw and typed contents alike', () =>
		serve(async (client) => {
			const typed = { model_name: 'simple', inputs: pair.map((input) => ({ ...input, contents: { int_contents: numbers } })) };
			for (const request of [simple, typed]) {
				const answer = await client.call('ModelInfer', { ...request, id: 'a' });
				expect(answer).toMatchObject({ id: 'a', model_name: 'simple', model_version: '1' });
				expect(answer.outputs).toMatchObject([
					{ name: 'OUTPUT0', datatype: 'INT32', shape: ['1', '16'] },
					{ name: 'OUTPUT1', datatype: 'INT32', shape: ['1', '16'] },
				]);
				expect(answer.raw_output_contents).toEqual([sums, Buffer.alloc(64)]);
			}
		}));

	test('gives the outputs asked for, of the version asked for', () =>
		serve(async (client) => {
			const { outputs } = await client.call('ModelInfer', { ...simple, outputs: [{ name: 'OUTPUT1' }] });
			expect(outputs).toMatchObject([{ name: 'OUTPUT1' }]);
			const input = { name: 'INPUT0', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1, 2, 3, 4] } };
			for (const version of ['1', '3']) {
				const answer = await client.call('ModelInfer', { model_name: 'two_versions', model_version: version, inputs: [input] });
				expect(answer.model_version).toBe(version);
				expect(answer.raw_output_contents).toEqual([bytesOf(Float32Array.from([1, 2, 3, 4], (number) => number + Number(version)))]);
			}
		}));

	test('takes and gives elements of BYTES', () =>
		serve(async (client) => {
			const elements = numbers.map((number) => Buffer.from(String(number)));
			const inputs = pair.map((input) => ({ ...input, datatype: 'BYTES', contents: { bytes_contents: elements } }));
			const answer = await client.call('ModelInfer', { model_name: 'simple_string', inputs });
			const packed = numbers.map((number) =>
				Buffer.concat([Buffer.from([String(2 * number).length, 0, 0, 0]), Buffer.from(String(2 * number))]),
			);
			expect(answer.raw_output_contents[0]).toEqual(Buffer.concat(packed));
		}));

	test('keeps 64-bit integers, and tensors without elements', () =>
		serve(async (client) => {
			const big = ['9223372036854775807', '-9223372036854775808'];
			const ask = (contents: object, length: number) => {
				const input = { name: 'INPUT0', datatype: 'INT64', shape: [1, length], contents };
				return client.call('ModelInfer', { model_name: 'identity_int64', inputs: [input] });
			};
			const answer = await ask({ int64_contents: big }, 2);
			expect(answer.raw_output_contents).toEqual([bytesOf(BigInt64Array.from(big, BigInt))]);
			const empty = await ask({}, 0);
			expect(empty.raw_output_contents).toEqual([Buffer.alloc(0)]);
			expect(empty.outputs).toMatchObject([{ shape: ['1', '0'] }]);
		}));

	test('classifies', () =>
		serve(async (client) => {
			const input = { name: 'INPUT0', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1, 4, 2, 3] } };
			const outputs = [{ name: 'OUTPUT0', parameters: { classification: { int64_param: 2 } } }];
			const answer = await client.call('ModelInfer', { model_name: 'classifier', inputs: [input], outputs });
			expect(answer.outputs).toMatchObject([{ name: 'OUTPUT0', datatype: 'BYTES', shape: ['1', '2'] }]);
			expect(answer.raw_output_contents[0].toString()).toMatch(/4\.0+:1:.*3\.0+:3:/s);
		}));

	test.each([
		['an unknown model', { model_name: 'nobody' }, status.NOT_FOUND, "Request for unknown model: 'nobody' is not found"],
		['an unknown version', { model_version: '9' }, status.NOT_FOUND, "Request for unknown model: 'simple' version 9 is not found"],
		['bytes that its shape does not have', { raw_input_contents: [raw, raw.subarray(4)] }, status.INVALID_ARGUMENT, 'INPUT1'],
		['a reserved parameter', { parameters: { triton_x: { bool_param: true } } }, status.INVALID_ARGUMENT, "starting with 'triton_'"],
		['an unknown output', { outputs: [{ name: 'OUTPUT7' }] }, status.INVALID_ARGUMENT, 'OUTPUT7'],
	])('of %s fails with its status and reason', (_, change, code, details) =>
		serve(async (client) => {
			await expect(client.call('ModelInfer', { ...simple, ...change })).rejects.toMatchObject({
				code,
				details: expect.stringContaining(details),
			});
		}),
	);
});

test('a stream answers many requests, good and bad, each under its id', () =>
	serve(async (client) => {
		const requests = numbers.map((id) => ({ ...simple, id: String(id), model_name: id % 4 === 0 ? 'nobody' : 'simple' }));
		const answers = await client.stream('ModelStreamInfer', requests);
		expect(new Set(answers.map(({ infer_response }) => infer_response.id))).toEqual(new Set(numbers.map(String)));
		for (const { error_message, infer_response } of answers) {
			if (Number(infer_response.id) % 4 === 0) expect(error_message).toContain("'nobody' is not found");
			else expect(infer_response.raw_output_contents[0]).toEqual(sums);
		}
	}));

test('metadata, configuration, index and statistics are those of the models', () =>
	serve(async (client) => {
		expect(await client.call('ModelMetadata', { name: 'simple' })).toMatchObject({
			versions: ['1'],
			platform: 'onnxruntime_onnx',
			inputs: [
				{ name: 'INPUT0', datatype: 'INT32', shape: ['-1', '16'] },
				{ name: 'INPUT1', datatype: 'INT32', shape: ['-1', '16'] },
			],
		});
		const { config } = await client.call('ModelConfig', { name: 'simple' });
		expect(config).toMatchObject({
			name: 'simple',
			max_batch_size: 8,
			input: [{ data_type: 'TYPE_INT32', dims: ['16'] }, { name: 'INPUT1' }],
		});
		const { models } = await client.call('RepositoryIndex', { ready: true });
		expect(models).toContainEqual({ name: 'two_versions', version: '3', state: 'READY', reason: '' });
		await client.call('ModelInfer', simple);
		await client.call('ModelInfer', { ...simple, raw_input_contents: [raw, raw.subarray(4)] }).catch(() => {});
		await vi.waitFor(async () => {
			const { model_stats } = await client.call('ModelStatistics', { name: 'simple' });
			expect(model_stats).toMatchObject([
				{
					name: 'simple',
					version: '1',
					inference_count: '1',
					execution_count: '1',
					inference_stats: { success: { count: '1' }, fail: { count: '1' } },
				},
			]);
		});
		const all = await client.call('ModelStatistics');
		expect(all.model_stats.length).toBeGreaterThan(10);
	}));

test('models are loaded and unloaded under explicit control', () =>
	withServer(
		({ engine, oip }) =>
			withGrpc(
				engine,
				async ({ client }) => {
					await expect(client.call('ModelInfer', simple)).rejects.toMatchObject({ code: status.NOT_FOUND });
					await client.call('RepositoryModelLoad', {
						model_name: 'simple',
						parameters: { config: { string_param: '{"max_batch_size":"16"}' } },
					});
					expect((await client.call('ModelConfig', { name: 'simple' })).config.max_batch_size).toBe(16);
					expect((await client.call('ModelInfer', simple)).raw_output_contents[0]).toEqual(sums);
					await client.call('RepositoryModelUnload', { model_name: 'simple' });
					await expect(client.call('ModelInfer', simple)).rejects.toMatchObject({ code: status.NOT_FOUND });
				},
				{},
				oip,
			),
		{ modelRepository: [tritonModels], modelControl: 'explicit' },
	));
