/** Bodies of the Open Inference Protocol through the raw addon: `submit` takes how much of one is JSON, a record says it of the answer. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Codec, flagsCode, type NativeCore, type NativeHandle, Operation, recordLength } from '../../src/native/addon.js';
import { loadAddon } from '../../src/native/load-addon.js';

/** Bytes of an element. */
const elementBytes = {
	BOOL: 1,
	UINT8: 1,
	UINT16: 2,
	UINT32: 4,
	UINT64: 8,
	INT8: 1,
	INT16: 2,
	INT32: 4,
	INT64: 8,
	FP16: 2,
	BF16: 2,
	FP32: 4,
	FP64: 8,
} as const;
type Datatype = keyof typeof elementBytes;
const datatypes = Object.keys(elementBytes) as Datatype[];

const modelOf = (datatype: string) => `identity_${datatype.toLowerCase()}`;

let core: NativeCore;
let handle: NativeHandle;

beforeAll(async () => {
	const addon = loadAddon();
	core = addon.createCore({ computeThreads: 1 });
	for (const name of [...datatypes, 'BYTES'].map(modelOf)) {
		const graphs = { model: { file: 'model.onnx' } };
		const manifest = { format: 1, name, version: '1', kind: 'model', graphs, default_graph: 'model', infer: {} };
		await core.load(fileURLToPath(new URL(`../fixtures/triton/${name}/1`, import.meta.url)), JSON.stringify(manifest));
	}
	handle = addon.attach(core.id);
});

afterAll(async () => {
	handle.detach();
	await core.close();
});

interface Answered {
	code: number;
	json: { outputs: { shape: number[]; data?: unknown[]; parameters?: { binary_data_size: number } }[]; error?: string };
	text: string;
	tail: Buffer;
}

/** Flushes until the one answer is there: a worker may have it. */
async function answer(): Promise<Answered> {
	for (;;) {
		const { slab, records } = handle.flush(1000);
		if (records.length > 0) {
			expect(records.length).toBe(recordLength);
			const [, offset = 0, length = 0, flags = 0, , , jsonBytes = 0] = records;
			const bytes = Buffer.from(slab.subarray(offset, offset + length));
			const text = bytes.toString('utf8', 0, jsonBytes === 0 ? length : jsonBytes);
			const json = JSON.parse(text.replaceAll(/(?<=[[,])(NaN|-?Infinity)(?=[,\]])/g, 'null'));
			return { code: flagsCode(flags), json, text, tail: jsonBytes === 0 ? Buffer.alloc(0) : bytes.subarray(jsonBytes) };
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
}

function ask(target: string, head: object | string, tail: Uint8Array = new Uint8Array(), jsonBytes?: number): Promise<Answered> {
	const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
	const length = jsonBytes ?? (tail.byteLength > 0 ? json.byteLength : undefined);
	const body = Buffer.concat([json, tail]);
	expect(handle.submit(body, Codec.oip, Operation.infer, target, undefined, 'req', undefined, length)).toBeGreaterThanOrEqual(0);
	return answer();
}

const shape = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }));

test('random bytes of every datatype and shape come back equal, sent and answered as bytes', async () => {
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...datatypes), shape, fc.infiniteStream(fc.nat(255)), async (datatype, [rows, columns], bytes) => {
			const size = rows * columns * elementBytes[datatype];
			const data = Buffer.from([...bytes.take(size)].map((byte) => (datatype === 'BOOL' ? byte % 2 : byte)));
			const input = { name: 'INPUT0', datatype, shape: [rows, columns], parameters: { binary_data_size: size } };
			const { code, json, tail } = await ask(modelOf(datatype), { inputs: [input], parameters: { binary_data_output: true } }, data);
			expect(code, json.error).toBe(0);
			expect(json.outputs).toEqual([{ name: 'OUTPUT0', datatype, shape: [rows, columns], parameters: { binary_data_size: size } }]);
			expect(tail).toEqual(data);
		}),
	);
});

const exact = (min: bigint, max: bigint) => fc.bigInt({ min, max }).map(String);
const integers = (bits: bigint) => ({
	[`INT${bits}`]: exact(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n),
	[`UINT${bits}`]: exact(0n, 2n ** bits - 1n),
});
const float = (value: number) => (Object.is(value, -0) ? '-0.0' : String(value));
/** Elements as they are written in JSON, which reads back as the same text. */
const written: Record<string, fc.Arbitrary<string>> = {
	BOOL: fc.boolean().map(String),
	...integers(8n),
	...integers(16n),
	...integers(32n),
	...integers(64n),
	FP64: fc.double().map(float),
	BYTES: fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
};

/** A datatype, a shape and as many elements. */
const tensor = fc.tuple(fc.constantFrom(...Object.keys(written)), shape).chain(([datatype, [rows, columns]]) => {
	const length = { minLength: rows * columns, maxLength: rows * columns };
	return fc.record({
		datatype: fc.constant(datatype),
		shape: fc.constant([rows, columns]),
		elements: fc.array(written[datatype] as fc.Arbitrary<string>, length),
	});
});

const parsed = (text: string): unknown => JSON.parse(text.replaceAll(/(?<=[[,])(NaN|-?Infinity|-?\d[^,\]"]*)(?=[,\]])/g, '"$1"'));

test('random elements of every datatype that JSON has come back as they were written', async () => {
	await fc.assert(
		fc.asyncProperty(tensor, async ({ datatype, shape: [rows, columns], elements }) => {
			const head = `{"inputs":[{"name":"INPUT0","datatype":"${datatype}","shape":[${rows},${columns}],"data":[${elements}]}]}`;
			const { code, text } = await ask(modelOf(datatype), head);
			expect(code, text).toBe(0);
			const data = text.slice(text.indexOf('"data":') + '"data":'.length, -3);
			if (datatype === 'BYTES') expect(JSON.parse(data)).toEqual(JSON.parse(`[${elements}]`));
			else if (datatype === 'FP64') expect((parsed(data) as string[]).map(Number)).toEqual(elements.map(Number));
			else expect(data).toBe(`[${elements}]`);
		}),
	);
});

test('an answer says how much of it is JSON, and what is no length of JSON is refused with the id', async () => {
	const input = { name: 'INPUT0', datatype: 'FP32', shape: [1, 1], data: [1] };
	expect((await ask('identity_fp32', { id: 'a', inputs: [input] })).text).toBe(
		'{"id":"a","model_name":"identity_fp32","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"FP32","shape":[1,1],"data":[1]}]}',
	);
	const refused = await ask('identity_fp32', { id: 'a', inputs: [input] }, new Uint8Array(), 1000);
	expect(refused.json.error).toMatch(/^\[request id: <id_unknown>\] inference header size should be in range \(0, \d+\), got: 1000$/);
	expect(() => handle.submit(Buffer.from('{}'), Codec.oip)).toThrow("op must be an operation's number");
	const unknown = await ask('nobody', { id: 'a', inputs: [input] });
	expect(unknown.json.error).toMatch(/^\[request id: a\] /);
});

test('whatever bytes come, the answer is tensors or an error that begins with an id', async () => {
	const piece = fc.constantFrom(
		'{',
		'}',
		'[',
		']',
		'"',
		':',
		',',
		'-',
		'1',
		'NaN',
		'"inputs"',
		'"name"',
		'"data"',
		'"INPUT0"',
		'"shape"',
		'\\',
		'\0',
		'é',
	);
	const bytes = fc.oneof(
		fc.uint8Array({ maxLength: 64 }),
		fc.array(piece, { maxLength: 32 }).map((pieces) => Buffer.from(pieces.join(''))),
		fc.constant(Buffer.alloc(250_000, '[')),
	);
	const jsonBytes = fc.oneof(fc.constant(undefined), fc.integer({ min: -1, max: 100 }), fc.constant(2 ** 32 - 2));
	await fc.assert(
		fc.asyncProperty(bytes, jsonBytes, async (body, length) => {
			const { code, json } = await ask('identity_fp32', '', body, length);
			if (code === 0) expect(json.outputs.length).toBe(1);
			else expect(json.error).toMatch(/^\[request id: .*\] ./s);
		}),
		{ numRuns: 500 },
	);
});
