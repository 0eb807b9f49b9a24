/** Model configurations as text and as JSON: what is read, what is refused, and what clients are told. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completeConfig } from '../../src/control/triton/complete-config.js';
import { readConfigJson } from '../../src/control/triton/config-json.js';
import { readConfigText } from '../../src/control/triton/config-text.js';
import { configJson } from '../../src/control/triton/model-config.js';
import { refuseUnsupported, remarksOn } from '../../src/control/triton/unsupported.js';
import { fakeModel } from '../support/fake-engine.js';

const tritonFixtures = fileURLToPath(new URL('../fixtures/triton', import.meta.url));

const simple = `
name: "simple"   # a comment
platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] }, { name: 'INPUT1' data_type: 8 dims: 16 } ]
output < name: "OUT" "PUT0"; data_type: TYPE_INT32; dims: [ -1 ] reshape { shape: [ ] } label_filename: "labels.txt" >
version_policy: { specific { versions: [ 1, 3 ] } }
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }
parameters { key: "intra_op_thread_count" value { string_value: "2" } }
`;

test('all ways of the text format are read', () => {
	expect(readConfigText(simple)).toEqual({
		name: 'simple',
		platform: 'onnxruntime_onnx',
		max_batch_size: 8,
		input: [
			{ name: 'INPUT0', data_type: 'TYPE_INT32', dims: [16] },
			{ name: 'INPUT1', data_type: 'TYPE_INT32', dims: [16] },
		],
		output: [{ name: 'OUTPUT0', data_type: 'TYPE_INT32', dims: [-1], reshape: {}, label_filename: 'labels.txt' }],
		version_policy: { specific: { versions: [1, 3] } },
		dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 100 },
		parameters: { intra_op_thread_count: { string_value: '2' } },
	});
	expect(readConfigText('')).toEqual({});
});

test('a bound of 0 is not the same as no bound', () => {
	expect(readConfigText('max_batch_size: 0')).toEqual({ max_batch_size: 0 });
	for (const text of ['{"max_batch_size": "0"}', '{"maxBatchSize": 0}']) expect(readConfigJson(text)).toEqual({ max_batch_size: 0 });
});

test.each([
	['name: "a"\nmax_batchsize: 8', 'line 2: ModelConfig has no field "max_batchsize". Did you mean "max_batch_size"?'],
	['input [\n  { name: "A" dtype: TYPE_INT8 } ]', 'line 2: ModelInput has no field "dtype".'],
	['\n\nmax_batch_size: "8"', 'line 3: max_batch_size: integer value expected'],
	['input [ {\n name: "A" data_type: TYPE_INT\n dims: [ 1 ] } ]', 'line 2: data_type: enum value expected, one of TYPE_INVALID, TYPE_BOOL'],
	['input [ { name: "A"\n dims: [ 1,\n x ] } ]', 'line 3: dims: integer value expected'],
	['name: "a"\nname: "b"', 'line 2: name: multiple values'],
	['dynamic_batching { }\nsequence_batching { }', 'line 2: sequence_batching: scheduling_choice: multiple values'],
	['max_batch_size: 9999999999', 'line 1: max_batch_size: integer value out of range'],
	['name: "a"\ninput [ {', 'line 2: expected'],
	['name "a"', 'line 1: expected \':\' in "name \\"a\\""'],
	['name: "a', 'line 1: unterminated string'],
	['response_cache { enable: yes }', 'line 1: enable: bool value expected'],
])('%j is refused with line and field', (text, words) => {
	expect(() => readConfigText(text)).toThrow(expect.objectContaining({ code: 'BUNDLE_INVALID', message: expect.stringContaining(words) }));
});

test('whatever the text is, it is read or refused, never more', () => {
	const word = fc.constantFrom(
		'name',
		'input',
		'dims',
		'max_batch_size',
		':',
		'{',
		'}',
		'[',
		']',
		'"a"',
		'8',
		'-1',
		'TYPE_INT8',
		'#',
		'\n',
		',',
		"'",
		'\\',
	);
	const text = fc.oneof(
		fc.string(),
		fc.array(word).map((words) => words.join(' ')),
	);
	fc.assert(
		fc.property(text, (given) => {
			try {
				readConfigText(given);
			} catch (thrown) {
				expect(thrown).toMatchObject({ code: 'BUNDLE_INVALID', message: expect.stringMatching(/^line \d+: /) });
			}
		}),
	);
});

test('a text of unreasonable length or depth is refused', () => {
	expect(() => readConfigText(' '.repeat(2 ** 20 + 1))).toThrow(/at most 1048576/);
	expect(() => readConfigText('version_policy { '.repeat(5000))).toThrow(expect.objectContaining({ code: 'BUNDLE_INVALID' }));
});

test('JSON takes numbers as text, and refuses what it does not know', () => {
	expect(readConfigJson('{"max_batch_size": "16", "versionPolicy": {"all": {}}}')).toEqual({
		max_batch_size: 16,
		version_policy: { all: {} },
	});
	for (const text of ['', '{', '[]', '7', 'null', '{"max_batch": 1}', '{"max_batch_size": "x"}', '{"input": {}}', '['.repeat(250_000)])
		expect(() => readConfigJson(text), text.slice(0, 20)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test.each([
	['platform: "tensorrt_plan"', 'platform is not supported: only onnxruntime_onnx is served'],
	['backend: "python"', 'backend is not supported'],
	['ensemble_scheduling { }', 'ensemble_scheduling is not supported'],
	['sequence_batching { }', 'sequence_batching is not supported'],
	['model_transaction_policy { decoupled: true }', 'model_transaction_policy.decoupled is not supported'],
	['input [ { name: "A" allow_ragged_batch: true } ]', 'input.allow_ragged_batch is not supported'],
	['output [ { name: "A" is_shape_tensor: true } ]', 'is_shape_tensor is not supported'],
	['batch_input [ { kind: BATCH_ITEM_SHAPE } ]', 'batch_input is not supported'],
	['model_operations { op_library_filename: "x.so" }', 'model_operations is not supported'],
	['dynamic_batching { priority_queue_policy { key: 1 value { } } }', 'dynamic_batching.priority_queue_policy is not supported'],
])('%s would answer otherwise, so it is refused', (text, words) => {
	expect(() => refuseUnsupported(readConfigText(text))).toThrow(
		expect.objectContaining({ code: 'BUNDLE_INVALID', message: expect.stringContaining(words) }),
	);
});

test('what only runs otherwise is remarked', () => {
	const config = readConfigText(
		'instance_group [ { kind: KIND_GPU count: 2 } ] optimization { execution_accelerators { } } metric_tags { key: "a" value: "b" }',
	);
	refuseUnsupported(config);
	expect(remarksOn(config)).toEqual([
		'instance_group.kind is not supported: it runs on the CPU',
		'optimization.execution_accelerators is not supported: it runs without accelerators',
	]);
});

test('every configuration of the fixtures is read and supported', () => {
	const models = readdirSync(tritonFixtures, { recursive: true })
		.map(String)
		.filter((path) => path.endsWith('config.pbtxt'));
	expect(models.length).toBeGreaterThan(5);
	for (const path of models) {
		const config = readConfigText(readFileSync(`${tritonFixtures}/${path}`, 'utf8'));
		refuseUnsupported(config);
		expect(`${config.name}/config.pbtxt`).toBe(path);
	}
});

const info = {
	...fakeModel,
	kind: 'model' as const,
	name: 'simple',
	version: '1',
	maxBatchSize: 4,
	inputs: [{ name: 'INPUT0', datatype: 'BYTES', shape: [-1, 16] }],
	outputs: [{ name: 'OUTPUT0', datatype: 'FP32', shape: [-1] }],
};

test('a model without a configuration has that of its graph, with every default', () => {
	expect(configJson(completeConfig({}, info))).toMatchObject({
		name: 'simple',
		platform: 'onnxruntime_onnx',
		backend: 'onnxruntime',
		version_policy: { latest: { num_versions: 1 } },
		max_batch_size: 4,
		input: [{ name: 'INPUT0', data_type: 'TYPE_STRING', format: 'FORMAT_NONE', dims: [16], is_shape_tensor: false, optional: false }],
		output: [{ name: 'OUTPUT0', data_type: 'TYPE_FP32', dims: [], label_filename: '' }],
		dynamic_batching: { preferred_batch_size: [], max_queue_delay_microseconds: 0, priority_queue_policy: {} },
		instance_group: [{ name: 'simple', kind: 'KIND_CPU', count: 1, gpus: [] }],
		default_model_filename: 'model.onnx',
		parameters: {},
		model_warmup: [],
	});
});

test('what a configuration says stays, numbers of 64 bits are numbers, and what is not there is not told', () => {
	const told = configJson(completeConfig(readConfigText(simple), { ...info, maxBatchSize: 8 })) as Record<string, unknown>;
	expect(told).toMatchObject({
		max_batch_size: 8,
		version_policy: { specific: { versions: [1, 3] } },
		dynamic_batching: { max_queue_delay_microseconds: 100, preserve_ordering: false },
		parameters: { intra_op_thread_count: { string_value: '2' } },
	});
	expect(told).not.toHaveProperty('ensemble_scheduling');
	expect(told).not.toHaveProperty('response_cache');
	expect(JSON.stringify(told)).not.toContain('null');
});

test('a model that requests do not share says so, with whole dims', () => {
	const told = configJson(completeConfig({}, { ...info, maxBatchSize: 0 }));
	expect(told).toMatchObject({ max_batch_size: 0, input: [{ dims: [-1, 16] }] });
	expect(told).not.toHaveProperty('dynamic_batching');
});

test('a bundle tells its kind, and what infer takes where it is offered', () => {
	expect(configJson(completeConfig(undefined, { ...info, kind: 'scorer' }))).toMatchObject({
		platform: 'onnxruntime_onnx',
		input: [{ name: 'INPUT0' }],
		parameters: { kind: { string_value: 'scorer' } },
	});
	expect(configJson(completeConfig(undefined, fakeModel))).toMatchObject({
		platform: '',
		input: [],
		output: [],
		parameters: { kind: { string_value: 'recommender' } },
	});
});
