/** Bodies of the Open Inference Protocol: JSON, and behind it the bytes of every tensor. */
import { EngineError } from '../errors.js';
import type { BatchStats, CountedTime } from '../native/addon.js';
import type { ModelStatistics, OipInferAnswer, OipInferRequest, OipParameters, WantedOutput } from './oip-types.js';
import { arrayOf, bytesOf, type Datatype, fromBytes, type Tensor, type TensorData } from './tensors.js';

export interface OipBody {
	bytes: Uint8Array;
	/** How many of them are JSON. */
	jsonBytes: number;
}

/** @param priority 0: the caller has none. @throws EngineError `INVALID_ARGUMENT` */
export function encodeInfer({ id, parameters = {}, inputs, outputs }: OipInferRequest, priority = 0): OipBody {
	const tensors = inputs.map(bytesOf);
	const head = objectOf({
		id: id && JSON.stringify(id),
		parameters: parametersJson({ ...parameters, ...(priority > 0 && { priority }), binary_data_output: true }),
		inputs: listOf(inputs.map((input, at) => inputJson(input, (tensors[at] as Uint8Array).byteLength))),
		outputs: outputs && listOf(outputs.map(outputJson)),
	});
	const json = Buffer.from(head);
	return { bytes: Buffer.concat([json, ...tensors]), jsonBytes: json.byteLength };
}

function inputJson({ name, shape, datatype }: Tensor, bytes: number): string {
	return JSON.stringify({ name, shape, datatype, parameters: { binary_data_size: bytes } });
}

function outputJson(output: string | WantedOutput): string {
	const { name, classification } = typeof output === 'string' ? { name: output, classification: undefined } : output;
	return JSON.stringify({ name, parameters: { binary_data: true, classification } });
}

/** Integers of 64 bits keep their digits. */
const parametersJson = (parameters: OipParameters): string =>
	objectOf(
		Object.fromEntries(
			Object.entries(parameters).map(([name, value]) => [name, typeof value === 'bigint' ? `${value}` : JSON.stringify(value)]),
		),
	);

function objectOf(members: Readonly<Record<string, string | undefined>>): string {
	const written = Object.entries(members).filter(([, json]) => json);
	return `{${written.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}`;
}

const listOf = (elements: readonly string[]): string => `[${elements.join()}]`;

interface WireOutput {
	name: string;
	datatype: Datatype;
	shape: number[];
	parameters?: { binary_data_size?: number };
	/** Where the server sends no bytes. */
	data?: (boolean | number | string)[];
}

interface WireAnswer {
	id?: string;
	model_name: string;
	model_version?: string;
	parameters?: OipParameters;
	outputs: WireOutput[];
}

/** @param jsonBytes how much of it is JSON; undefined: all. @throws EngineError `INVALID_BODY` */
export function decodeInfer(body: Buffer, jsonBytes = body.byteLength): OipInferAnswer {
	const { id, model_name, model_version = '', parameters = {}, outputs } = parseJson(body.subarray(0, jsonBytes)) as WireAnswer;
	let at = jsonBytes;
	const tensors = outputs.map((output) => {
		const end = at + (output.parameters?.binary_data_size ?? 0);
		if (end > body.byteLength) throw new EngineError('INVALID_BODY', `the answer ends before the bytes of output "${output.name}" do`);
		const bytes = body.subarray(at, end);
		at = end;
		return tensorOf(output, bytes);
	});
	return { id, model: model_name, version: model_version, parameters, outputs: tensors };
}

function tensorOf({ name, datatype, shape, data }: WireOutput, bytes: Uint8Array): Tensor {
	return { name, datatype, shape, data: data === undefined ? fromBytes(datatype, bytes) : fromJson(name, datatype, data) } as Tensor;
}

/** From a server without the extension for bytes. */
function fromJson(name: string, datatype: Datatype, data: (boolean | number | string)[]): TensorData {
	if (datatype === 'BYTES') return data.map(String);
	const array = arrayOf(datatype);
	if (array !== BigInt64Array && array !== BigUint64Array) return (array as typeof Float64Array).from(data, Number);
	if (data.every(Number.isSafeInteger)) return (array as typeof BigInt64Array).from((data as number[]).map(BigInt));
	throw new EngineError('INVALID_BODY', `output "${name}" came as JSON with integers beyond 2^53, which JSON numbers do not hold`);
}

/** @throws EngineError `INVALID_BODY` */
export function parseJson(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString());
	} catch (cause) {
		throw new EngineError('INVALID_BODY', `the server's answer is no JSON: ${(cause as Error).message}`, { cause });
	}
}

type WireStatistics = Record<'last_inference' | 'inference_count' | 'execution_count', number> & {
	name: string;
	version: string;
	inference_stats: Record<
		'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
		CountedTime
	>;
	batch_stats: ({ batch_size: number } & Record<'compute_input' | 'compute_infer' | 'compute_output', CountedTime>)[];
};

export function decodeStatistics({ model_stats }: { model_stats: WireStatistics[] }): ModelStatistics[] {
	return model_stats.map(({ name, version, last_inference, inference_count, execution_count, inference_stats, batch_stats }) => ({
		name,
		version,
		lastInference: last_inference,
		inferenceCount: inference_count,
		executionCount: execution_count,
		success: inference_stats.success,
		fail: inference_stats.fail,
		queue: inference_stats.queue,
		...computeTimes(inference_stats),
		cacheHit: inference_stats.cache_hit,
		cacheMiss: inference_stats.cache_miss,
		batches: batch_stats.map((batch): BatchStats => ({ batchSize: batch.batch_size, ...computeTimes(batch) })),
	}));
}

type WireTimes = Record<'compute_input' | 'compute_infer' | 'compute_output', CountedTime>;

const computeTimes = ({ compute_input, compute_infer, compute_output }: WireTimes): Omit<BatchStats, 'batchSize'> => ({
	computeInput: compute_input,
	computeInfer: compute_infer,
	computeOutput: compute_output,
});
