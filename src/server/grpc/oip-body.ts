/** A ModelInferRequest as the body that the engine reads: its JSON, and behind that the bytes of every input. */
import { EngineError } from '../../errors.js';
import type { InferMessage, InputMessage, OutputMessage, Parameters } from './infer-message.js';
import { rawContents } from './tensor-contents.js';

export interface OipBody {
	bytes: Uint8Array;
	/** How many of them are JSON. */
	jsonBytes: number;
}

/**
 * Every output is asked for in bytes.
 * @param maxBytes of one tensor that comes as a list
 * @throws EngineError `INVALID_ARGUMENT` | `UNSUPPORTED_FEATURE` | `TOO_LARGE`
 */
export function toOipBody(message: InferMessage, maxBytes: number): OipBody {
	const tensors = tensorsOf(message, maxBytes);
	const json = Buffer.from(jsonOf(message, tensors));
	return { bytes: Buffer.concat([json, ...tensors]), jsonBytes: json.byteLength };
}

/** The bytes of each input, in their order. */
function tensorsOf({ model_name: model, inputs, raw_input_contents: raw }: InferMessage, maxBytes: number): Uint8Array[] {
	for (const { name, parameters } of inputs) refuseSharedMemory(`input '${name}'`, parameters);
	if (raw.length > 0) return rawTensors(model, inputs, raw);
	return inputs.map(({ name, datatype, contents }) =>
		contents === undefined ? new Uint8Array() : rawContents(contents, { name, datatype, model }, maxBytes),
	);
}

function rawTensors(model: string, inputs: readonly InputMessage[], raw: Uint8Array[]): Uint8Array[] {
	const twice = inputs.find(({ contents }) => contents !== undefined);
	if (twice !== undefined) {
		const which = `'${twice.name}' for model '${model}'`;
		throw new EngineError('INVALID_ARGUMENT', `contents field must not be specified when using raw_input_contents for ${which}`);
	}
	if (raw.length === inputs.length) return raw;
	const counts = `expected ${inputs.length} raw_input_contents, one per input, got ${raw.length}`;
	throw new EngineError('INVALID_ARGUMENT', `${counts} for model '${model}'`);
}

function refuseSharedMemory(tensor: string, parameters: Parameters): void {
	if (!parameters.has('shared_memory_region')) return;
	throw new EngineError('UNSUPPORTED_FEATURE', `${tensor}: shared memory is not offered, send and take the bytes`);
}

function jsonOf(message: InferMessage, tensors: readonly Uint8Array[]): string {
	const { id, parameters, inputs, outputs } = message;
	const fields = [
		...(id === '' ? [] : [`"id":${JSON.stringify(id)}`]),
		`"parameters":${withParameter(parameters, 'binary_data_output', true)}`,
		`"inputs":[${inputs.map((input, at) => inputJson(input, (tensors[at] as Uint8Array).byteLength)).join()}]`,
		...(outputs.length === 0 ? [] : [`"outputs":[${outputs.map(outputJson).join()}]`]),
	];
	return `{${fields.join()}}`;
}

function inputJson({ name, datatype, shape, parameters }: InputMessage, bytes: number): string {
	const head = `"name":${JSON.stringify(name)},"shape":[${shape.join()}],"datatype":${JSON.stringify(datatype)}`;
	return `{${head},"parameters":${withParameter(parameters, 'binary_data_size', bytes)}}`;
}

function outputJson({ name, parameters }: OutputMessage): string {
	refuseSharedMemory(`output '${name}'`, parameters);
	return `{"name":${JSON.stringify(name)},"parameters":${withParameter(parameters, 'binary_data', true)}}`;
}

/** Over HTTP the named parameter says how tensors travel, so the caller's own of that name means nothing. */
function withParameter(parameters: Parameters, name: string, value: number | boolean): string {
	const own = [...parameters].filter(([key]) => key !== name).map(([key, text]) => `${JSON.stringify(key)}:${text}`);
	return `{${[...own, `"${name}":${value}`].join()}}`;
}
