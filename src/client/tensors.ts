/** Tensors of `infer`: typed arrays for callers, bytes on the wire. */
import { EngineError } from '../errors.js';

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
} as const;

export type Datatype = keyof typeof arrays;
export type TensorData = InstanceType<(typeof arrays)[Datatype]>;

/** Row-major; `shape` has one number per dimension. */
export interface Tensor {
	name: string;
	datatype: Datatype;
	shape: readonly number[];
	data: TensorData;
}

export interface WireTensor {
	name: string;
	datatype: Datatype;
	shape: number[];
	data: Uint8Array;
}

/** Every processor we run on is little-endian, as the wire is. */
export const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** @throws EngineError `INVALID_ARGUMENT` for data that is not the typed array of its datatype: its bytes would mean something else */
export function fromTensor({ name, datatype, shape, data }: Tensor): object {
	const wanted = arrays[datatype];
	if (wanted === undefined) {
		const known = Object.keys(arrays).join(', ');
		throw new EngineError('INVALID_ARGUMENT', `tensor "${name}": datatype must be one of ${known}, got ${JSON.stringify(datatype)}`);
	}
	if (!(data instanceof wanted)) {
		const got = (data as object | null)?.constructor?.name ?? String(data);
		throw new EngineError('INVALID_ARGUMENT', `tensor "${name}": data of ${datatype} must be a ${wanted.name}, got ${got}`);
	}
	return { name, datatype, shape, data: asBytes(data) };
}

/** The bytes lie anywhere in the frame; a typed array wants an aligned address, so they are copied. */
export function toTensor({ name, datatype, shape, data }: WireTensor): Tensor {
	return { name, datatype, shape, data: new arrays[datatype](Uint8Array.from(data).buffer) };
}
