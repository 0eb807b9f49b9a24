/** The id of a frame is read as it came, from frames of any quality. */
import { Packr, pack, unpack } from 'msgpackr';
import { expect, test } from 'vitest';
import { frameId } from '../../src/server/frame-id.js';

const { pack: packPlain } = new Packr({ useRecords: false });
const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

test.each([0, 7, 300, 70_000, 2 ** 40, 'r1', 'x'.repeat(128), null, 2n ** 63n])('%s', (id) => {
	const read = frameId(bufferOf(packPlain([1, 1, id, 'tiny', null, null, null, { k: 5 }])));
	expect(read).toEqual(id);
	expect(unpack(pack(read))).toEqual(unpack(pack(id)));
});

test.each([
	['an empty frame', []],
	['one byte', [0x98]],
	['a frame that ends before its id', [0x98, 1, 1]],
	['an id cut short', [0x98, 1, 1, 0xa5, 0x61]],
	['a byte that is no type', [0x98, 0xc1, 0xc1, 0xc1]],
	['an id that is a map', [0x98, 1, 1, 0x81, 0xa1, 0x61, 1]],
])('%s has none', (_, bytes) => {
	expect(frameId(bufferOf(Uint8Array.from(bytes)))).toBeNull();
});
