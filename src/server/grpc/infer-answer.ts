/** The engine's answer to an infer request, JSON and binary tensors behind it, as a ModelInferResponse. */
import protobuf from 'protobufjs';
import { EngineError } from '../../errors.js';
import { tag, VARINT } from './message-fields.js';

interface AnswerOutput {
	name: string;
	datatype: string;
	shape: number[];
	parameters?: Record<string, ParameterValue>;
}

interface AnswerHead {
	model_name: string;
	model_version: string;
	id?: string;
	parameters?: Record<string, ParameterValue>;
	outputs: AnswerOutput[];
}

type ParameterValue = boolean | number | string;

/**
 * @param jsonBytes how much of `bytes` is JSON; 0: all, because every tensor is empty
 * @param extra parameters beside the engine's
 * @returns an encoded ModelInferResponse, in memory of its own
 */
export function encodeAnswer(bytes: Uint8Array, jsonBytes: number, extra: Record<string, ParameterValue> = {}): Uint8Array {
	const jsonEnd = jsonBytes === 0 ? bytes.byteLength : jsonBytes;
	const head = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, jsonEnd).toString()) as AnswerHead;
	const writer = protobuf.Writer.create();
	writer.uint32(tag(1)).string(head.model_name).uint32(tag(2)).string(head.model_version);
	if (head.id !== undefined) writer.uint32(tag(3)).string(head.id);
	writeParameters(writer, tag(4), { ...head.parameters, ...extra });
	for (const output of head.outputs) writeOutput(writer, output);
	writeTensors(writer, bytes.subarray(jsonEnd), head.outputs);
	return writer.finish();
}

/** An error inside a stream, which goes on. @returns an encoded ModelStreamInferResponse */
export function encodeStreamError(message: string, id: string, extra: Record<string, ParameterValue> = {}): Uint8Array {
	const writer = protobuf.Writer.create().uint32(tag(1)).string(message).uint32(tag(2)).fork();
	if (id !== '') writer.uint32(tag(3)).string(id);
	writeParameters(writer, tag(4), extra);
	return writer.ldelim().finish();
}

/** @param response an encoded ModelInferResponse. @returns an encoded ModelStreamInferResponse */
export const encodeStreamAnswer = (response: Uint8Array): Uint8Array => protobuf.Writer.create().uint32(tag(2)).bytes(response).finish();

function writeOutput(writer: protobuf.Writer, { name, datatype, shape, parameters = {} }: AnswerOutput): void {
	// The length of its bytes stands before them.
	const { binary_data_size: _, ...others } = parameters;
	writer.uint32(tag(5)).fork();
	writer.uint32(tag(1)).string(name).uint32(tag(2)).string(datatype).uint32(tag(3)).fork();
	for (const dimension of shape) writer.int64(dimension);
	writer.ldelim();
	writeParameters(writer, tag(4), others);
	writer.ldelim();
}

function writeTensors(writer: protobuf.Writer, tensors: Uint8Array, outputs: readonly AnswerOutput[]): void {
	let at = 0;
	for (const { name, parameters } of outputs) {
		const size = parameters?.['binary_data_size'];
		if (typeof size !== 'number')
			throw new EngineError('INTERNAL', `this is a bug: output '${name}' was asked for in bytes and came as JSON`);
		writer.uint32(tag(6)).bytes(tensors.subarray(at, at + size));
		at += size;
	}
}

function writeParameters(writer: protobuf.Writer, field: number, parameters: Record<string, ParameterValue>): void {
	for (const [name, value] of Object.entries(parameters)) {
		writer.uint32(field).fork().uint32(tag(1)).string(name).uint32(tag(2)).fork();
		writeParameter(writer, value);
		writer.ldelim().ldelim();
	}
}

function writeParameter(writer: protobuf.Writer, value: ParameterValue): void {
	if (typeof value === 'boolean') writer.uint32(tag(1, VARINT)).bool(value);
	else if (typeof value === 'string') writer.uint32(tag(3)).string(value);
	else if (Number.isSafeInteger(value)) writer.uint32(tag(2, VARINT)).int64(value);
	else writer.uint32(tag(4, 1)).double(value);
}
