/** A tensor of BYTES as the protocol writes it: before each element its length, a little-endian uint32. */
import { isUtf8 } from 'node:buffer';
import { EngineError } from '../errors.js';

const LENGTH_BYTES = 4;

/** Text goes as UTF-8. */
export function packElements(elements: readonly (string | Uint8Array)[]): Uint8Array {
	const parts = elements.flatMap((element) => {
		const bytes = typeof element === 'string' ? Buffer.from(element) : element;
		const length = Buffer.allocUnsafe(LENGTH_BYTES);
		length.writeUInt32LE(bytes.byteLength);
		return [length, bytes];
	});
	return Buffer.concat(parts);
}

/** Elements that are UTF-8 come as text, any other as its bytes. @throws EngineError `INVALID_BODY` */
export function unpackElements(packed: Uint8Array): (string | Uint8Array)[] {
	const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
	const elements: (string | Uint8Array)[] = [];
	for (let at = 0; at < bytes.byteLength; ) {
		const start = at + LENGTH_BYTES;
		const end = start <= bytes.byteLength ? start + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
		if (end > bytes.byteLength) throw new EngineError('INVALID_BODY', `the element at byte ${at} of a BYTES tensor is cut short`);
		const element = bytes.subarray(start, end);
		elements.push(isUtf8(element) ? element.toString() : Uint8Array.from(element));
		at = end;
	}
	return elements;
}
