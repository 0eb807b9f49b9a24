/** Tensors of `infer`: typed arrays for callers, bytes on the wire. */
import { EngineError } from '../errors.js';
import { packElements, unpackElements } from './bytes-tensor.js';

/** The typed array that holds each datatype of the Open Inference Protocol; 16-bit floats travel as their bits. */
const arrays = {
	BOOL: Uint8Array,
	UINT8: Uint8Array,
	UINT16: Uint16Array,
	UINT32: Uint32Array,
	UINT64: BigUint64Array,
	INT8: Int8Array,
	INT16: Int16Array,
	INT32: Int32Array,
	INT64: BigInt64Array,
	FP16: Uint16Array,
	BF16: Uint16Array,
	FP32: Float32Array,
	FP64: Float64Array,
} as const satisfies Record<Exclude<keyof DataOf, 'BYTES'>, unknown>;

/** What holds the elements of each datatype. Of BYTES, elements that are UTF-8 come as text, any other as bytes. */
export interface DataOf {
	BOOL: Uint8Array;
	UINT8: Uint8Array;
	UINT16: Uint16Array;
	UINT32: Uint32Array;
	UINT64: BigUint64Array;
	INT8: Int8Array;
	INT16: Int16Array;
	INT32: Int32Array;
	INT64: BigInt64Array;
	FP16: Uint16Array;
	BF16: Uint16Array;
	FP32: Float32Array;
	FP64: Float64Array;
	BYTES: readonly (string | Uint8Array)[];
}

export type Datatype = keyof DataOf;
export type TensorData = DataOf[Datatype];

/** Row-major; `shape` has one number per dimension. */
export interface TensorOf<D extends Datatype> {
	name: string;
	datatype: D;
	shape: readonly number[];
	data: DataOf[D];
}

/** Its datatype says what its data is. */
export type Tensor = { [D in Datatype]: TensorOf<D> }[Datatype];

export interface WireTensor {
	name: string;
	datatype: Datatype;
	shape: number[];
	data: Uint8Array;
}

/** Every processor we run on is little-endian, as the wire is. */
export const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** @throws EngineError `INVALID_ARGUMENT` */
export const fromTensor = (tensor: Tensor): WireTensor => {
	const { name, datatype, shape } = tensor;
	return { name, datatype, shape: [...shape], data: bytesOf(tensor) };
};

/** @throws EngineError `INVALID_ARGUMENT` for data that is not what its datatype needs: its bytes would mean something else */
export function bytesOf({ name, datatype, data }: Tensor): Uint8Array {
	if (datatype === 'BYTES') {
		if (Array.isArray(data)) return packElements(data);
		throw unfit(name, datatype, 'an array of strings or Uint8Arrays', data);
	}
	const wanted = arrays[datatype];
	if (wanted === undefined) {
		const known = [...Object.keys(arrays), 'BYTES'].join(', ');
		throw new EngineError('INVALID_ARGUMENT', `tensor "${name}": datatype must be one of ${known}, got ${JSON.stringify(datatype)}`);
	}
	if (data instanceof wanted) return asBytes(data);
	throw unfit(name, datatype, `a ${wanted.name}`, data);
}

/** @throws EngineError `INVALID_BODY` */
export const toTensor = ({ name, datatype, shape, data }: WireTensor): Tensor =>
	({ name, datatype, shape, data: fromBytes(datatype, data) }) as Tensor;

/** The bytes lie anywhere in an answer; a typed array wants an aligned address, so they are copied. @throws EngineError `INVALID_BODY` */
export function fromBytes(datatype: Datatype, bytes: Uint8Array): TensorData {
	return datatype === 'BYTES' ? unpackElements(bytes) : new (arrayOf(datatype))(Uint8Array.from(bytes).buffer);
}

/** @throws EngineError `INVALID_BODY` for a datatype of a newer protocol */
export function arrayOf(datatype: Exclude<Datatype, 'BYTES'>): (typeof arrays)[keyof typeof arrays] {
	const array = arrays[datatype];
	if (array === undefined)
		throw new EngineError('INVALID_BODY', `the answer holds a tensor of ${JSON.stringify(datatype)}, which this client does not know`);
	return array;
}

/**
 * The data of one tensor of an answer, as its datatype has it.
 * @throws EngineError `INVALID_ARGUMENT` when there is none of that name, or it is of another datatype
 * @example const sums = dataOf(await client.infer('simple', { inputs }), 'OUTPUT0', 'INT32') // Int32Array
 */
export function dataOf<D extends Datatype>({ outputs }: { outputs: readonly Tensor[] }, name: string, datatype: D): DataOf[D] {
	const tensor = outputs.find((output) => output.name === name);
	if (tensor?.datatype === datatype) return tensor.data as DataOf[D];
	const found =
		tensor === undefined ? `none among ${outputs.map((output) => output.name).join(', ') || 'no outputs'}` : `one of ${tensor.datatype}`;
	throw new EngineError('INVALID_ARGUMENT', `expected an output "${name}" of ${datatype}, found ${found}`);
}

function unfit(name: string, datatype: string, wanted: string, data: unknown): EngineError {
	const got = (data as object | null)?.constructor?.name ?? String(data);
	return new EngineError('INVALID_ARGUMENT', `tensor "${name}": data of ${datatype} must be ${wanted}, got ${got}`);
}
