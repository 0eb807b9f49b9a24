/**
 * A corpus file holds what the load generator sends: "RKDC", u32 format 1, u32 count, then per entry u32 length and the bytes (little-endian).
 * An rpc frame is a whole request `[1, op, id, …]` whose id is written as a 32-bit unsigned integer (`0xce` at offset 3 of the
 * frame, four big-endian bytes from offset 4): the generator puts its own there. So it does with a deadline that is written that way.
 */
import { writeFileSync } from 'node:fs';
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false });

export interface Call {
	/** The operation's number in a frame. */
	operation: number;
	target: string;
	body: unknown;
	deadlineMs?: number;
}

/** A request frame with room for the generator's id. */
export function frameOf({ operation, target, body, deadlineMs }: Call): Buffer {
	const [name, ...rest] = [target, null, null, body].map((part) => Buffer.from(packr.pack(part)));
	const deadline = deadlineMs === undefined ? Buffer.from([0xc0]) : uint32(deadlineMs);
	return Buffer.concat([Buffer.from([0x98, 1, operation]), uint32(0), name as Buffer, deadline, ...rest]);
}

/** A number in msgpack's five bytes, however small it is. */
function uint32(value: number): Buffer {
	const bytes = Buffer.from([0xce, 0, 0, 0, 0]);
	bytes.writeUInt32BE(value, 1);
	return bytes;
}

export const msgpackBody = (body: unknown): Buffer => Buffer.from(packr.pack(body));
export const jsonBody = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

export function writeCorpus(path: string, entries: readonly Uint8Array[]): void {
	const head = Buffer.alloc(12);
	head.write('RKDC');
	head.writeUInt32LE(1, 4);
	head.writeUInt32LE(entries.length, 8);
	const parts = entries.flatMap((entry) => {
		const length = Buffer.alloc(4);
		length.writeUInt32LE(entry.byteLength);
		return [length, entry];
	});
	writeFileSync(path, Buffer.concat([head, ...parts]));
}
