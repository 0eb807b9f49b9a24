/** Messages of gRPC's ModelInfer: what our .proto file describes is read by hand, and becomes a body that the engine reads. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/errors.js';
import { messageType } from '../../src/protocol.js';
import { encodeAnswer, encodeStreamAnswer, encodeStreamError } from '../../src/server/grpc/infer-answer.js';
import { readInferMessage } from '../../src/server/grpc/infer-message.js';
import { toOipBody } from '../../src/server/grpc/oip-body.js';
import { rawContents } from '../../src/server/grpc/tensor-contents.js';

const bytesOf = (name: string, message: object): Buffer => {
	const type = messageType(name);
	return Buffer.from(type.encode(type.fromObject(message)).finish());
};
const objectOf = (name: string, bytes: Uint8Array) => {
	const type = messageType(name);
	return type.toObject(type.decode(bytes), { longs: String, defaults: true });
};

const MiB = 1024 * 1024;

/** The JSON of a body, and what stands behind it. */
function bodyOf(request: object) {
	const { bytes, jsonBytes } = toOipBody(readInferMessage(bytesOf('ModelInferRequest', request)), MiB);
	const text = Buffer.from(bytes.subarray(0, jsonBytes)).toString();
	return { text, json: JSON.parse(text), tensors: Buffer.from(bytes.subarray(jsonBytes)) };
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const parameter = fc.oneof(
	fc.record({ bool_param: fc.boolean() }),
	fc.record({ int64_param: int64.map(String) }),
	fc.record({ string_param: text }),
	fc.record({ double_param: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
	fc.record({ uint64_param: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) }),
);
const parameters = fc.dictionary(
	text.filter((name) => name !== '__proto__' && name !== 'shared_memory_region'),
	parameter,
	{ maxKeys: 4 },
);
const input = fc.record({
	name: text,
	datatype: fc.constantFrom('FP32', 'INT64', 'BYTES'),
	shape: fc.array(int64.map(String), { maxLength: 4 }),
	parameters,
});
const request = fc
	.record({
		model_name: text,
		model_version: text,
		id: text,
		parameters,
		inputs: fc.array(input, { maxLength: 4 }),
		outputs: fc.array(fc.record({ name: text, parameters }), { maxLength: 3 }),
	})
	.chain((message) =>
		fc
			.array(fc.uint8Array({ maxLength: 40 }), { minLength: message.inputs.length, maxLength: message.inputs.length })
			.map((raw_input_contents) => ({ ...message, raw_input_contents })),
	);

/** The one value of a parameter as JSON text, numbers in the digits they came in. */
const jsonOf = (choice: object): string => {
	const [[name, value]] = Object.entries(choice) as [[string, unknown]];
	return name === 'string_param' ? JSON.stringify(value) : String(value);
};

describe('a request', () => {
	test('is read as it was described, whatever it holds', () => {
		fc.assert(
			fc.property(request, (message) => {
				const read = readInferMessage(bytesOf('ModelInferRequest', message));
				expect(read).toMatchObject({ model_name: message.model_name, model_version: message.model_version, id: message.id });
				expect(read.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
					message.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
				);
				expect(read.outputs.map(({ name }) => name)).toEqual(message.outputs.map(({ name }) => name));
				expect(read.raw_input_contents.map((raw) => Buffer.from(raw))).toEqual(message.raw_input_contents.map((raw) => Buffer.from(raw)));
				const exact = Object.entries(message.parameters).filter(([, choice]) => !('double_param' in choice));
				for (const [name, choice] of exact) expect(read.parameters.get(name)).toBe(jsonOf(choice));
			}),
		);
	});

	test('becomes JSON that tells what lies behind it', () => {
		fc.assert(
			fc.property(request, (message) => {
				const { json, tensors } = bodyOf(message);
				const sizes = json.inputs.map((each: { parameters: { binary_data_size: number } }) => each.parameters.binary_data_size);
				expect(sizes).toEqual(message.raw_input_contents.map(({ byteLength }) => byteLength));
				expect(tensors).toEqual(Buffer.concat(message.raw_input_contents));
				expect(json.inputs.map(({ name }: { name: string }) => name)).toEqual(message.inputs.map(({ name }) => name));
				expect(json.parameters.binary_data_output).toBe(true);
				expect(json.id ?? '').toBe(message.id);
			}),
		);
	});

	test('keeps integers beyond 2^53, and says of a double that it is none', () => {
		const { text } = bodyOf({
			parameters: { big: { int64_param: '-9007199254740993' }, bigger: { uint64_param: '18446744073709551615' }, two: { double_param: 2 } },
			inputs: [{ name: 'x', datatype: 'FP32', shape: ['9007199254740993'] }],
		});
		for (const part of ['"big":-9007199254740993', '"bigger":18446744073709551615', '"two":2.0', '"shape":[9007199254740993]'])
			expect(text).toContain(part);
	});

	test('asks every output for its bytes, whatever it said, and hands on what else it asks', () => {
		const { json } = bodyOf({
			outputs: [{ name: 'y', parameters: { classification: { int64_param: 3 }, binary_data: { bool_param: false } } }],
		});
		expect(json.outputs).toEqual([{ name: 'y', parameters: { classification: 3, binary_data: true } }]);
	});

	test.each([
		[
			'INVALID_ARGUMENT',
			"contents field must not be specified when using raw_input_contents for 'x' for model 'm'",
			{ contents: {} },
			['ab'],
		],
		['INVALID_ARGUMENT', "expected 1 raw_input_contents, one per input, got 2 for model 'm'", {}, ['ab', 'c']],
		['UNSUPPORTED_FEATURE', 'shared memory is not offered', { parameters: { shared_memory_region: { string_param: 'r' } } }, []],
		['INVALID_ARGUMENT', "parameter 'p' must be a finite number, got NaN", { parameters: { p: { double_param: Number.NaN } } }, []],
		['INVALID_ARGUMENT', "parameter 'p' has no value of a known type", { parameters: { p: {} } }, []],
	])('is refused with %s: %s', (code, message, more, raw) => {
		const asked = {
			model_name: 'm',
			inputs: [{ name: 'x', datatype: 'FP32', ...more }],
			raw_input_contents: raw.map((part) => Buffer.from(part)),
		};
		expect(() => bodyOf(asked)).toThrowError(expect.objectContaining({ code, message: expect.stringContaining(message) }));
	});

	test('of any bytes is read or refused, and nothing else happens', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				try {
					toOipBody(readInferMessage(bytes), MiB);
				} catch (thrown) {
					expect(thrown).toBeInstanceOf(EngineError);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test('with one byte changed is read or refused, and nothing else happens', () => {
		const changed = fc.tuple(request, fc.nat(), fc.nat(255)).map(([message, at, byte]) => {
			const bytes = bytesOf('ModelInferRequest', message);
			if (bytes.byteLength > 0) bytes[at % bytes.byteLength] = byte;
			return bytes;
		});
		fc.assert(
			fc.property(changed, (bytes) => {
				try {
					toOipBody(readInferMessage(bytes), MiB);
				} catch (thrown) {
					expect(thrown).toBeInstanceOf(EngineError);
					expect(thrown).not.toMatchObject({ code: 'INTERNAL' });
				}
			}),
			{ numRuns: 1000 },
		);
	});

	test('of millions of empty parts is refused before it takes memory', () => {
		const emptyInput = Buffer.from([0x2a, 0]);
		const bytes = Buffer.concat(Array.from({ length: MiB }, () => emptyInput));
		expect(() => readInferMessage(bytes)).toThrowError(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
	});
});

describe('typed contents', () => {
	const lists = [
		['BOOL', 'bool_contents', fc.boolean(), (all: boolean[]) => Uint8Array.from(all, Number)],
		['INT8', 'int_contents', fc.integer({ min: -128, max: 127 }), (all: number[]) => Int8Array.from(all)],
		['INT16', 'int_contents', fc.integer({ min: -32_768, max: 32_767 }), (all: number[]) => Int16Array.from(all)],
		['INT32', 'int_contents', fc.integer(), (all: number[]) => Int32Array.from(all)],
		['INT64', 'int64_contents', int64.map(String), (all: string[]) => BigInt64Array.from(all, BigInt)],
		['UINT8', 'uint_contents', fc.nat(255), (all: number[]) => Uint8Array.from(all)],
		['UINT16', 'uint_contents', fc.nat(65_535), (all: number[]) => Uint16Array.from(all)],
		['UINT32', 'uint_contents', fc.nat(2 ** 32 - 1), (all: number[]) => Uint32Array.from(all)],
		[
			'UINT64',
			'uint64_contents',
			fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
			(all: string[]) => BigUint64Array.from(all, BigInt),
		],
		['FP32', 'fp32_contents', fc.float({ noNaN: true }), (all: number[]) => Float32Array.from(all)],
		['FP64', 'fp64_contents', fc.double({ noNaN: true }), (all: number[]) => Float64Array.from(all)],
	] as [string, string, fc.Arbitrary<unknown>, (all: unknown[]) => ArrayBufferView][];
	const tensor = (datatype: string) => ({ name: 'x', datatype, model: 'm' });

	test.each(lists)('of %s are the bytes of its typed array', (datatype, list, element, toArray) => {
		fc.assert(
			fc.property(fc.array(element, { maxLength: 200 }), (all) => {
				const raw = rawContents(bytesOf('InferTensorContents', { [list]: all }), tensor(datatype), MiB);
				const { buffer, byteOffset, byteLength } = toArray(all);
				expect(Buffer.from(raw)).toEqual(Buffer.from(buffer, byteOffset, byteLength));
			}),
			{ numRuns: 50 },
		);
	});

	test('of BYTES have their length before each element', () => {
		const raw = rawContents(bytesOf('InferTensorContents', { bytes_contents: [Buffer.from('ab'), Buffer.alloc(0)] }), tensor('BYTES'), MiB);
		expect([...raw]).toEqual([2, 0, 0, 0, 97, 98, 0, 0, 0, 0]);
	});

	test('one by one, as a writer without packing sends them, are the same', () => {
		const unpacked = Buffer.from([0x10, 1, 0x10, 2]);
		expect([...rawContents(unpacked, tensor('INT8'), MiB)]).toEqual([1, 2]);
	});

	test.each([
		[
			'INT32',
			{ fp32_contents: [1] },
			"unexpected explicit tensor data for input tensor 'x' for model 'm' of type 'FP32', expected datatype 'INT32'",
		],
		['FP16', { fp32_contents: [1] }, "of type 'FP32', expected datatype 'FP16'"],
		['INT32', { bytes_contents: [Buffer.from('a')] }, "of type 'BYTES', expected datatype 'INT32'"],
		['INT8', { int_contents: [128] }, "contents of input 'x' for model 'm' are no INT8"],
		['UINT8', { uint_contents: [256] }, "contents of input 'x' for model 'm' are no UINT8"],
	])('that are no %s are refused', (datatype, contents, message) => {
		expect(() => rawContents(bytesOf('InferTensorContents', contents), tensor(datatype), MiB)).toThrowError(
			expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
		);
	});

	test('that would become larger than a body may be are refused', () => {
		const oneByteEach = bytesOf('InferTensorContents', { int64_contents: Array.from({ length: 1000 }, () => 1) });
		expect(() => rawContents(oneByteEach, tensor('INT64'), 4096)).toThrowError(expect.objectContaining({ code: 'TOO_LARGE' }));
	});
});

describe('an answer', () => {
	const head = {
		id: 'a',
		model_name: 'm',
		model_version: '3',
		parameters: { text: 't', whole: 5, half: 0.5, yes: true },
		outputs: [
			{ name: 'y', datatype: 'INT32', shape: [1, 2], parameters: { binary_data_size: 8 } },
			{ name: 'z', datatype: 'BYTES', shape: [0], parameters: { binary_data_size: 0 } },
		],
	};
	const json = Buffer.from(JSON.stringify(head));
	const tensors = Buffer.from(Int32Array.of(1, -2).buffer);
	const expected = {
		id: 'a',
		model_name: 'm',
		model_version: '3',
		parameters: { text: { string_param: 't' }, whole: { int64_param: '5' }, half: { double_param: 0.5 }, yes: { bool_param: true } },
		outputs: [
			{ name: 'y', datatype: 'INT32', shape: ['1', '2'] },
			{ name: 'z', datatype: 'BYTES', shape: ['0'] },
		],
		raw_output_contents: [tensors, Buffer.alloc(0)],
	};

	test('is a ModelInferResponse with its tensors as they came', () => {
		const response = encodeAnswer(Buffer.concat([json, tensors]), json.byteLength);
		expect(objectOf('ModelInferResponse', response)).toMatchObject(expected);
	});

	test('whose tensors are all empty is JSON to its end', () => {
		const empty = Buffer.from(JSON.stringify({ model_name: 'm', model_version: '1', outputs: [head.outputs[1]] }));
		expect(objectOf('ModelInferResponse', encodeAnswer(empty, 0))).toMatchObject({
			model_name: 'm',
			id: '',
			raw_output_contents: [Buffer.alloc(0)],
		});
	});

	test('of a stream is the same inside, an error has its words and the request that it is for', () => {
		const response = encodeAnswer(Buffer.concat([json, tensors]), json.byteLength, { triton_final_response: true });
		const marked = { ...expected.parameters, triton_final_response: { bool_param: true } };
		expect(objectOf('ModelStreamInferResponse', encodeStreamAnswer(response))).toMatchObject({
			error_message: '',
			infer_response: { ...expected, parameters: marked },
		});
		expect(objectOf('ModelStreamInferResponse', encodeStreamError('no such model', 'a'))).toMatchObject({
			error_message: 'no such model',
			infer_response: { id: 'a', outputs: [] },
		});
	});
});
