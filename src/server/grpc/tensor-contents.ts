/** InferTensorContents, a list of elements of one type, as the bytes that a tensor has: little-endian, row-major. */
import type protobuf from 'protobufjs';
import { EngineError } from '../../errors.js';
import { eachPacked, FIXED32, FIXED64, type Fields, Parts, readFields, tag, VARINT } from './message-fields.js';

/** A list of the message, by its field. */
interface List {
	field: number;
	/** How messages call the type of its elements. */
	type: string;
	/** Of an element outside a packed list; undefined: never packed. */
	wireType: number | undefined;
}

const lists = {
	bool: { field: 1, type: 'BOOL', wireType: VARINT },
	int: { field: 2, type: 'INT32', wireType: VARINT },
	int64: { field: 3, type: 'INT64', wireType: VARINT },
	uint: { field: 4, type: 'UINT32', wireType: VARINT },
	uint64: { field: 5, type: 'UINT64', wireType: VARINT },
	fp32: { field: 6, type: 'FP32', wireType: FIXED32 },
	fp64: { field: 7, type: 'FP64', wireType: FIXED64 },
	bytes: { field: 8, type: 'BYTES', wireType: undefined },
} as const satisfies Record<string, List>;

interface Element {
	list: List;
	/** Bytes of one in the tensor. */
	width: number;
	/** @throws RangeError for a value that is none of the type */
	copy(from: protobuf.Reader, to: Buffer, at: number): unknown;
}

const copyLong = ({ low, high }: { low: number; high: number }, to: Buffer, at: number) => to.writeInt32LE(high, to.writeInt32LE(low, at));

/** FP16 and BF16 have no list: they come as raw bytes alone. */
const elements: Readonly<Record<string, Element>> = {
	BOOL: { list: lists.bool, width: 1, copy: (from, to, at) => to.writeUInt8(Number(from.bool()), at) },
	INT8: { list: lists.int, width: 1, copy: (from, to, at) => to.writeInt8(from.int32(), at) },
	INT16: { list: lists.int, width: 2, copy: (from, to, at) => to.writeInt16LE(from.int32(), at) },
	INT32: { list: lists.int, width: 4, copy: (from, to, at) => to.writeInt32LE(from.int32(), at) },
	INT64: { list: lists.int64, width: 8, copy: (from, to, at) => copyLong(from.int64(), to, at) },
	UINT8: { list: lists.uint, width: 1, copy: (from, to, at) => to.writeUInt8(from.uint32(), at) },
	UINT16: { list: lists.uint, width: 2, copy: (from, to, at) => to.writeUInt16LE(from.uint32(), at) },
	UINT32: { list: lists.uint, width: 4, copy: (from, to, at) => to.writeUInt32LE(from.uint32(), at) },
	UINT64: { list: lists.uint64, width: 8, copy: (from, to, at) => copyLong(from.uint64(), to, at) },
	FP32: { list: lists.fp32, width: 4, copy: (from, to, at) => to.writeUInt32LE(from.fixed32(), at) },
	FP64: { list: lists.fp64, width: 8, copy: (from, to, at) => copyLong(from.fixed64(), to, at) },
};

/** Which tensor it is, for messages. */
export interface TensorName {
	name: string;
	datatype: string;
	model: string;
}

/**
 * @param contents an encoded InferTensorContents
 * @param maxBytes of the tensor
 * @throws EngineError `INVALID_ARGUMENT` | `TOO_LARGE`
 */
export function rawContents(contents: Uint8Array, tensor: TensorName, maxBytes: number): Uint8Array {
	const bytes = new GrowingBytes(maxBytes);
	try {
		readFields(contents, bytes, fieldsOf(tensor), noParts);
	} catch (thrown) {
		if (thrown instanceof EngineError) throw thrown;
		const { name, model, datatype } = tensor;
		const message = `contents of input '${name}' for model '${model}' are no ${datatype}: ${(thrown as Error).message}`;
		throw new EngineError('INVALID_ARGUMENT', message, { cause: thrown });
	}
	return bytes.taken();
}

/** No object is made of an element. */
const noParts = new Parts(0);

/** The datatype's own list is read, any other is told. */
function fieldsOf(tensor: TensorName): Fields<GrowingBytes> {
	const fields: Record<number, Fields<GrowingBytes>[number]> = {};
	for (const list of Object.values(lists)) Object.assign(fields, refusing(list, tensor));
	if (tensor.datatype === 'BYTES') return { ...fields, [tag(lists.bytes.field)]: takeBytes };
	const element = elements[tensor.datatype];
	return element === undefined ? fields : { ...fields, ...taking(element) };
}

function refusing({ field, type, wireType }: List, { name, model, datatype }: TensorName): Fields<GrowingBytes> {
	const refuse = () => {
		const which = `input tensor '${name}' for model '${model}' of type '${type}', expected datatype '${datatype}'`;
		throw new EngineError('INVALID_ARGUMENT', `unexpected explicit tensor data for ${which}`);
	};
	return { [tag(field)]: refuse, [tag(field, wireType)]: refuse };
}

function taking({ list: { field, wireType }, width, copy }: Element): Fields<GrowingBytes> {
	const takeOne = (to: GrowingBytes, reader: protobuf.Reader) => {
		const at = to.reserve(width);
		copy(reader, to.bytes, at);
	};
	const takePacked = (to: GrowingBytes, reader: protobuf.Reader) => eachPacked(reader, () => takeOne(to, reader));
	return { [tag(field)]: takePacked, [tag(field, wireType)]: takeOne };
}

function takeBytes(to: GrowingBytes, reader: protobuf.Reader): void {
	const element = reader.bytes();
	const at = to.reserve(4 + element.byteLength);
	to.bytes.writeUInt32LE(element.byteLength, at);
	to.bytes.set(element, at + 4);
}

class GrowingBytes {
	readonly #maxBytes: number;
	bytes = Buffer.allocUnsafe(256);
	#length = 0;

	constructor(maxBytes: number) {
		this.#maxBytes = maxBytes;
	}

	/** @returns where the next `count` bytes stand in `bytes`. @throws EngineError `TOO_LARGE` */
	reserve(count: number): number {
		const at = this.#length;
		this.#length += count;
		if (this.#length > this.bytes.byteLength) this.#grow();
		return at;
	}

	taken(): Uint8Array {
		return this.bytes.subarray(0, this.#length);
	}

	#grow(): void {
		if (this.#length > this.#maxBytes)
			throw new EngineError('TOO_LARGE', `the tensor has more than ${this.#maxBytes} bytes, which is the most that is accepted`);
		const longer = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.bytes.byteLength));
		longer.set(this.bytes);
		this.bytes = longer;
	}
}
