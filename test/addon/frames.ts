/** Frames as a client writes them and answers as it reads them, for tests of the raw addon. */
import { fileURLToPath } from 'node:url';
import { Packr, Unpackr } from 'msgpackr';
import { Codec, flagsCode, type NativeHandle, Operation, recordLength } from '../../src/native/addon.js';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

export const fixture = (model: string): string => fileURLToPath(new URL(`../fixtures/models/${model}/1.0.0`, import.meta.url));

export const pack = (value: unknown): Uint8Array => new Uint8Array(packr.pack(value));

export const frame = (id: number | string, target: string, body: object, operation: Operation = Operation.recommend): Uint8Array =>
	pack([1, operation, id, target, null, null, null, body]);

export interface Item {
	id: string;
	score: number;
}

export interface Answer {
	ticket: number;
	code: number;
	id: number | string | null;
	body: { items?: Item[]; scores?: Uint8Array; error?: string; code?: string; degraded?: string[] };
}

/** Flushes until nothing is left and reads the answers of RPC frames. */
export function answers(handle: NativeHandle): Answer[] {
	const all: Answer[] = [];
	for (let more = true; more; ) {
		const flush = handle.flush(1000);
		more = flush.more;
		for (let i = 0; i < flush.records.length; i += recordLength) {
			const [ticket = 0, offset = 0, length = 0, flags = 0] = flush.records.subarray(i, i + recordLength);
			const [, id, code, , , body] = unpackr.unpack(flush.slab.subarray(offset, offset + length));
			if (code !== flagsCode(flags)) throw new Error(`frame says ${code}, record says ${flagsCode(flags)}`);
			all.push({ ticket, code, id, body });
		}
	}
	return all;
}

/** Submits one frame and reads its one answer. */
export function ask(handle: NativeHandle, bytes: Uint8Array): Answer {
	handle.submit(bytes, Codec.msgpack);
	const [answer] = answers(handle);
	if (answer === undefined) throw new Error('no answer');
	return answer;
}
