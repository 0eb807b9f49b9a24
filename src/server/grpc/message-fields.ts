/** Protobuf messages read field by field from their bytes, without an object per element; unknown fields are skipped. */
import protobuf from 'protobufjs';
import { EngineError } from '../../errors.js';

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

/** What stands before a field's value. */
export const tag = (field: number, wireType = LENGTH): number => (field << 3) | wireType;

/** By tag, what a field does to the message that is being read. */
export type Fields<T> = Readonly<Record<number, (into: T, reader: protobuf.Reader, parts: Parts) => void>>;

/** Counts what objects are made for: a message of 64 MiB may hold 32 million empty ones, and they would take gigabytes. */
export class Parts {
	readonly #most: number;
	#count = 0;

	constructor(most: number) {
		this.#most = most;
	}

	/** @throws EngineError `LIMIT_EXCEEDED` */
	add(): void {
		if (++this.#count > this.#most) throw new EngineError('LIMIT_EXCEEDED', `the message has more than ${this.#most} parts`);
	}
}

/** @returns `into`. @throws RangeError | TypeError | Error for bytes that are no such message */
export function readFields<T>(bytes: Uint8Array, into: T, fields: Fields<T>, parts: Parts): T {
	const reader = protobuf.Reader.create(bytes);
	while (reader.pos < reader.len) {
		const found = reader.tag();
		const take = fields[found];
		if (take !== undefined) take(into, reader, parts);
		else skip(reader, found);
	}
	return into;
}

/** The elements of a packed list, one after the other. @throws RangeError when the last one does not end where the list does */
export function eachPacked(reader: protobuf.Reader, take: () => void): void {
	const end = reader.size() + reader.pos;
	while (reader.pos < Math.min(end, reader.len)) take();
	if (reader.pos !== end) throw new RangeError(`a list ends at byte ${end} of ${reader.len}, its last element at ${reader.pos}`);
}

function skip(reader: protobuf.Reader, found: number): void {
	if (found >>> 3 === 0) throw new RangeError(`field 0 before byte ${reader.pos}`);
	reader.skipType(found & 7, 0, found >>> 3);
}

/** For a message that is decoded whole although it is large: its size is in few fields. @throws EngineError `LIMIT_EXCEEDED` | `INVALID_BODY` */
export function checkFieldCount(bytes: Uint8Array, most: number): void {
	const parts = new Parts(most);
	const reader = protobuf.Reader.create(bytes);
	try {
		while (reader.pos < reader.len) {
			parts.add();
			skip(reader, reader.tag());
		}
	} catch (thrown) {
		if (thrown instanceof EngineError) throw thrown;
		throw new EngineError('INVALID_BODY', `the message is damaged: ${(thrown as Error).message}`, { cause: thrown });
	}
}
