/** A ModelInferRequest read from its bytes; the tensors in it stay where they are. */
import type protobuf from 'protobufjs';
import { EngineError } from '../../errors.js';
import { eachPacked, FIXED64, type Fields, Parts, readFields, tag, VARINT } from './message-fields.js';

/** Parameters by name, values as JSON text: 64-bit integers keep their digits. */
export type Parameters = Map<string, string>;

export interface InputMessage {
	name: string;
	datatype: string;
	/** Digits: a dimension may be beyond 2^53. */
	shape: string[];
	parameters: Parameters;
	/** An encoded InferTensorContents. */
	contents: Uint8Array | undefined;
}

export interface OutputMessage {
	name: string;
	parameters: Parameters;
}

export interface InferMessage {
	model_name: string;
	model_version: string;
	id: string;
	parameters: Parameters;
	inputs: InputMessage[];
	outputs: OutputMessage[];
	raw_input_contents: Uint8Array[];
}

/** Inputs, outputs, parameters and dimensions together: more is nobody's model. */
const MAX_PARTS = 16_384;

/** @throws EngineError `INVALID_BODY` | `INVALID_ARGUMENT` | `LIMIT_EXCEEDED` */
export function readInferMessage(bytes: Uint8Array): InferMessage {
	const names = { model_name: '', model_version: '', id: '' };
	const empty: InferMessage = { ...names, parameters: new Map(), inputs: [], outputs: [], raw_input_contents: [] };
	try {
		return readFields(bytes, empty, requestFields, new Parts(MAX_PARTS));
	} catch (thrown) {
		if (thrown instanceof EngineError) throw thrown;
		throw new EngineError('INVALID_BODY', `the message is no ModelInferRequest: ${(thrown as Error).message}`, { cause: thrown });
	}
}

const requestFields: Fields<InferMessage> = {
	[tag(1)]: (message, reader) => {
		message.model_name = reader.stringVerify();
	},
	[tag(2)]: (message, reader) => {
		message.model_version = reader.stringVerify();
	},
	[tag(3)]: (message, reader) => {
		message.id = reader.stringVerify();
	},
	[tag(4)]: (message, reader, parts) => readParameter(message.parameters, reader, parts),
	[tag(5)]: (message, reader, parts) => {
		parts.add();
		const input = { name: '', datatype: '', shape: [], parameters: new Map(), contents: undefined };
		message.inputs.push(readFields(reader.bytes(), input, inputFields, parts));
	},
	[tag(6)]: (message, reader, parts) => {
		parts.add();
		message.outputs.push(readFields(reader.bytes(), { name: '', parameters: new Map() }, outputFields, parts));
	},
	[tag(7)]: (message, reader, parts) => {
		parts.add();
		message.raw_input_contents.push(reader.bytes());
	},
};

const inputFields: Fields<InputMessage> = {
	[tag(1)]: (input, reader) => {
		input.name = reader.stringVerify();
	},
	[tag(2)]: (input, reader) => {
		input.datatype = reader.stringVerify();
	},
	[tag(3)]: ({ shape }, reader, parts) => eachPacked(reader, () => readDimension(shape, reader, parts)),
	[tag(3, VARINT)]: ({ shape }, reader, parts) => readDimension(shape, reader, parts),
	[tag(4)]: ({ parameters }, reader, parts) => readParameter(parameters, reader, parts),
	[tag(5)]: (input, reader) => {
		if (input.contents !== undefined) throw new EngineError('INVALID_ARGUMENT', `input '${input.name}' has contents twice`);
		input.contents = reader.bytes();
	},
};

const outputFields: Fields<OutputMessage> = {
	[tag(1)]: (output, reader) => {
		output.name = reader.stringVerify();
	},
	[tag(2)]: ({ parameters }, reader, parts) => readParameter(parameters, reader, parts),
};

function readDimension(shape: string[], reader: protobuf.Reader, parts: Parts): void {
	parts.add();
	shape.push(reader.int64().toString());
}

/** One entry of a map. @throws EngineError `INVALID_ARGUMENT` */
function readParameter(parameters: Parameters, reader: protobuf.Reader, parts: Parts): void {
	parts.add();
	const { name, value } = readFields<ParameterEntry>(reader.bytes(), { name: '', value: undefined }, entryFields, parts);
	if (value === undefined) throw new EngineError('INVALID_ARGUMENT', `parameter '${name}' has no value of a known type`);
	parameters.set(name, value);
}

interface ParameterEntry {
	name: string;
	/** The last choice of its InferParameter. */
	value: string | undefined;
}

const entryFields: Fields<ParameterEntry> = {
	[tag(1)]: (entry, reader) => {
		entry.name = reader.stringVerify();
	},
	[tag(2)]: (entry, reader, parts) => {
		readFields(reader.bytes(), entry, valueFields, parts);
	},
};

const valueFields: Fields<ParameterEntry> = {
	[tag(1, VARINT)]: (entry, reader) => {
		entry.value = String(reader.bool());
	},
	[tag(2, VARINT)]: (entry, reader) => {
		entry.value = reader.int64().toString();
	},
	[tag(3)]: (entry, reader) => {
		entry.value = JSON.stringify(reader.stringVerify());
	},
	[tag(4, FIXED64)]: (entry, reader) => {
		entry.value = finite(reader.double(), entry.name);
	},
	[tag(5, VARINT)]: (entry, reader) => {
		entry.value = reader.uint64().toString();
	},
};

/** A decimal point or an exponent says that it is no integer. */
function finite(value: number, name: string): string {
	if (!Number.isFinite(value)) throw new EngineError('INVALID_ARGUMENT', `parameter '${name}' must be a finite number, got ${value}`);
	const text = JSON.stringify(value);
	return /[.e]/.test(text) ? text : `${text}.0`;
}
