/** Packing and unpacking of bodies, and what headers say about it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptedEncoding, contentEncoding, pack, unpack } from '../../src/server/oip/encodings.js';

const encoding = fc.constantFrom('gzip' as const, 'deflate' as const);

test('what was packed comes back', () =>
	fc.assert(
		fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), encoding, async (bytes, how) => {
			expect(new Uint8Array(await unpack(await pack(bytes, how), how, 2000))).toEqual(bytes);
		}),
	));

test('a body that unpacks to more than the limit is refused before it is unpacked whole', async () => {
	const bomb = await pack(Buffer.alloc(50_000_000), 'gzip');
	expect(bomb.byteLength).toBeLessThan(500_000);
	await expect(unpack(bomb, 'gzip', 1000)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test('random bytes are an error of the caller, or unpack to something within the limit', () =>
	fc.assert(
		fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), encoding, async (bytes, how) => {
			const result = await unpack(bytes, how, 1000).catch((error) => error.code);
			expect(result instanceof Uint8Array || result === 'INVALID_BODY' || result === 'TOO_LARGE').toBe(true);
		}),
	));

test('headers of any text name an encoding, none, or an error of the caller', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary-ascii' }), (header) => {
			expect([undefined, 'gzip', 'deflate']).toContain(acceptedEncoding(header));
			try {
				expect([undefined, 'gzip', 'deflate']).toContain(contentEncoding(header));
			} catch (error) {
				expect(error).toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
			}
		}),
	);
});

test.each([
	['gzip', 'gzip'],
	[' GZip ;Q=1', 'gzip'],
	['deflate;q=0.9, gzip;q=0.8', 'deflate'],
	['gzip;q=0', undefined],
	['gzip;q=x', undefined],
	['identity, *;q=0.5', undefined],
])('Accept-Encoding: %s is %s', (header, expected) => expect(acceptedEncoding(header)).toBe(expected));
