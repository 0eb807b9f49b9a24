/** What a configuration becomes for the engine: its manifest, and the requests that warm a model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfigText } from '../../src/control/triton/config-text.js';
import { inferManifest, type ManifestOptions } from '../../src/control/triton/infer-manifest.js';
import { readElements } from '../../src/control/triton/tensor-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function manifestOf(text: string, options: Partial<ManifestOptions> = {}) {
	const all = {
		config: readConfigText(text),
		folder: '/',
		name: 'simple',
		version: '3',
		defaultMaxBatchSize: 4,
		autoComplete: true,
		...options,
	};
	return JSON.parse(inferManifest(all));
}

const inferOf = (text: string, options: Partial<ManifestOptions> = {}) => manifestOf(text, options).infer;

test('a folder without a configuration is the graph and nothing said', () => {
	expect(manifestOf('')).toEqual({
		format: 1,
		name: 'simple',
		version: '3',
		kind: 'model',
		graphs: { model: { file: 'model.onnx' } },
		default_graph: 'model',
		infer: { preferred_max: 4, warmup: [] },
	});
	expect(inferOf('', { autoComplete: false })).toMatchObject({ max_batch_size: 0, dynamic_batching: false });
});

test('tensors, labels, cache and file go as they are configured', () => {
	const { graphs, infer } = manifestOf(`
		default_model_filename: "net.onnx" max_batch_size: 8 response_cache { enable: true }
		input { name: "A" data_type: TYPE_STRING dims: [ 2, -1 ] optional: true }
		output { name: "B" data_type: TYPE_FP16 dims: [ 1 ] reshape { } label_filename: "labels.txt" }`);
	expect(graphs).toEqual({ model: { file: 'net.onnx' } });
	expect(infer).toMatchObject({
		max_batch_size: 8,
		dynamic_batching: false,
		response_cache: true,
		inputs: [{ name: 'A', datatype: 'BYTES', dims: [2, -1], optional: true }],
		outputs: [{ name: 'B', datatype: 'FP16', dims: [1], reshape: [], labels: 'labels.txt' }],
	});
});

test('without a bound the graph and the dims decide', () => {
	expect(inferOf('input { name: "A" dims: [ 4 ] }')).toMatchObject({ inputs: [{ dims: [4] }], preferred_max: 4 });
	expect(inferOf('input { name: "A" dims: [ 4 ] }')).not.toHaveProperty('max_batch_size');
	expect(inferOf('dynamic_batching { }')).toMatchObject({ dynamic_batching: true });
});

test('queues wait and reject as they are configured, and let requests bring a timeout where nothing is said', () => {
	expect(inferOf('max_batch_size: 8 dynamic_batching { }')).toMatchObject({ dynamic_batching: true, queue: { default_priority: 0 } });
	const policy = 'timeout_action: DELAY default_timeout_microseconds: 900 max_queue_size: 7';
	expect(inferOf(`dynamic_batching { priority_levels: 20 default_priority_level: 12 default_queue_policy { ${policy} } }`).queue).toEqual({
		max_size: 7,
		default_timeout_us: 900,
		allow_timeout_override: false,
		timeout_action: 'delay',
		default_priority: 9,
	});
});

const parameter = (key: string, value: string) => `parameters { key: "${key}" value { string_value: "${value}" } }`;

test('parameters of the session are handed on, others are the model’s own', () => {
	const text = ['intra_op_thread_count 2', 'execution_mode 1', 'session.set_denormal_as_zero 1', 'anything x'].map((each) => {
		const [key = '', value = ''] = each.split(' ');
		return parameter(key, value);
	});
	expect(inferOf(text.join('\n')).session).toEqual({
		intra_op_threads: 2,
		execution_mode: 'parallel',
		entries: { 'session.set_denormal_as_zero': '1' },
	});
	expect(inferOf(parameter('anything', 'x')).session).toBeUndefined();
	for (const [key, value] of [
		['intra_op_thread_count', 'many'],
		['execution_mode', '2'],
	] as const)
		expect(() => inferOf(parameter(key, value))).toThrow(
			expect.objectContaining({ code: 'BUNDLE_INVALID', message: expect.stringContaining(key) }),
		);
});

const sample = (rest: string, type = 'TYPE_INT32') => `
	max_batch_size: 8
	model_warmup { name: "one" batch_size: 2 ${rest.includes('count') ? rest.split(';')[1] : ''}
		inputs { key: "A" value { data_type: ${type} dims: [ 2 ] ${rest.split(';')[0]} } } }`;

test('warm-up is made of zeros, of small random numbers, or of a file', () => {
	const folder = temporaryFolder();
	mkdirSync(join(folder, 'warmup'));
	writeFileSync(join(folder, 'warmup/data'), new Uint8Array(Int32Array.of(1, -2, 3, 2 ** 31 - 1).buffer));
	const zeros = { inputs: [{ name: 'A', datatype: 'INT32', shape: [2, 2], data: [0, 0, 0, 0] }] };
	expect(inferOf(sample('zero_data: true; count: 3')).warmup).toEqual([zeros, zeros, zeros]);
	expect(inferOf(sample('input_data_file: "data"'), { folder }).warmup[0].inputs[0].data).toEqual([1, -2, 3, 2 ** 31 - 1]);
	for (const type of ['TYPE_INT32', 'TYPE_FP32', 'TYPE_STRING', 'TYPE_BOOL'])
		expect(inferOf(sample('random_data: true', type)).warmup[0].inputs[0].data).toHaveLength(4);
});

test('a sample that JSON cannot carry is left out', () => {
	expect(inferOf(sample('zero_data: true', 'TYPE_FP16')).warmup).toEqual([]);
});

test.each([
	['input_data_file: "none"', 'model_warmup "one" input "A": ENOENT'],
	['input_data_file: "../data"', 'is no name of a file'],
	['input_data_file: "short"', 'expected 16 bytes (4 of INT32), got 3'],
	['zero_data: true dims: [ -1 ]', 'dims must be whole, got [2, 2, -1]'],
	['zero_data: true dims: [ 100000, 100000 ]', 'elements, at most 4194304 are read'],
	['zero_data: true; count: 4000000000', 'model_warmup has 4000000000 requests, at most 1000 are run'],
])('warm-up of %s is refused', (rest, words) => {
	const folder = temporaryFolder({ 'warmup/short': 'abc' });
	expect(() => inferOf(sample(rest), { folder })).toThrow(
		expect.objectContaining({ code: 'BUNDLE_INVALID', message: expect.stringContaining(words) }),
	);
});

test('elements of every type are read as JSON can write them', () => {
	const bytes = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer as ArrayBuffer);
	expect(readElements(Uint8Array.of(0, 1, 2), 'BOOL', 3)).toEqual([false, true, true]);
	expect(readElements(bytes(BigInt64Array.of(-5n, 2n ** 62n)), 'INT64', 2)).toEqual([-5, Number.MAX_SAFE_INTEGER]);
	expect(readElements(bytes(Float32Array.of(0.5, Number.NaN)), 'FP32', 2)).toEqual([0.5, 0]);
	expect(readElements(Uint8Array.of(2, 0, 0, 0, 104, 105, 0, 0, 0, 0), 'BYTES', 2)).toEqual(['hi', '']);
	expect(() => readElements(Uint8Array.of(9, 0, 0, 0, 1), 'BYTES', 1)).toThrow('element 0 goes beyond the 5 bytes');
	expect(() => readElements(new Uint8Array(2), 'FP16', 1)).toThrow('a file of FP16 cannot be read');
});
