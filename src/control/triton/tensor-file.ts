/** Reads the elements of a tensor from its bytes: little-endian, row-major, BYTES as length and content. */

type Read = (view: DataView, at: number) => number | bigint;

/** Bytes of an element and how it is read. */
const fixed: Readonly<Record<string, readonly [bytes: number, read: Read]>> = {
	BOOL: [1, (view, at) => view.getUint8(at)],
	UINT8: [1, (view, at) => view.getUint8(at)],
	UINT16: [2, (view, at) => view.getUint16(at, true)],
	UINT32: [4, (view, at) => view.getUint32(at, true)],
	UINT64: [8, (view, at) => view.getBigUint64(at, true)],
	INT8: [1, (view, at) => view.getInt8(at)],
	INT16: [2, (view, at) => view.getInt16(at, true)],
	INT32: [4, (view, at) => view.getInt32(at, true)],
	INT64: [8, (view, at) => view.getBigInt64(at, true)],
	FP32: [4, (view, at) => view.getFloat32(at, true)],
	FP64: [8, (view, at) => view.getFloat64(at, true)],
};

/**
 * As JSON can write them: what is not finite becomes 0, and integers stay within 2^53.
 * @throws Error when the bytes are not those of `count` elements
 */
export function readElements(bytes: Uint8Array, datatype: string, count: number): (number | boolean | string)[] {
	if (datatype === 'BYTES') return readTexts(bytes, count);
	const [size, read] = fixed[datatype] ?? [];
	if (size === undefined || read === undefined) throw new Error(`a file of ${datatype} cannot be read`);
	if (bytes.byteLength !== size * count)
		throw new Error(`expected ${size * count} bytes (${count} of ${datatype}), got ${bytes.byteLength}`);
	const view = viewOf(bytes);
	const numbers = Array.from({ length: count }, (_, at) => bounded(Number(read(view, at * size)), datatype));
	return datatype === 'BOOL' ? numbers.map(Boolean) : numbers;
}

function bounded(number: number, datatype: string): number {
	if (datatype.startsWith('FP')) return Number.isFinite(number) ? number : 0;
	return Math.max(Number.MIN_SAFE_INTEGER, Math.min(number, Number.MAX_SAFE_INTEGER));
}

function readTexts(bytes: Uint8Array, count: number): string[] {
	const view = viewOf(bytes);
	const texts: string[] = [];
	let at = 0;
	while (at < bytes.byteLength) {
		const end = at + 4 <= bytes.byteLength ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
		if (end > bytes.byteLength) throw new Error(`element ${texts.length} goes beyond the ${bytes.byteLength} bytes`);
		texts.push(new TextDecoder().decode(bytes.subarray(at + 4, end)));
		at = end;
	}
	if (texts.length !== count) throw new Error(`expected ${count} elements, got ${texts.length}`);
	return texts;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
