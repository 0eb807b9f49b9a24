/** Compressed bodies: what a call was packed with, what its caller takes, and both ways through zlib, off the event loop. */
import { promisify } from 'node:util';
import { constants, deflate, gunzip, gzip, inflate } from 'node:zlib';
import { EngineError } from '../../errors.js';
import { tooLarge } from '../body-reader.js';

/** `deflate` is a zlib stream, as HTTP means it. */
export type Encoding = 'gzip' | 'deflate';

const packers = { gzip: promisify(gzip), deflate: promisify(deflate) };
const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) };

const isEncoding = (name: string): name is Encoding => name === 'gzip' || name === 'deflate';

/** @throws EngineError `UNSUPPORTED_FEATURE` for what Content-Encoding may not say */
export function contentEncoding(header: string): Encoding | undefined {
	const name = header.trim().toLowerCase();
	if (name === '' || name === 'identity') return undefined;
	if (isEncoding(name)) return name;
	throw new EngineError('UNSUPPORTED_FEATURE', `Content-Encoding must be gzip, deflate or identity, got ${JSON.stringify(header)}`);
}

/** The one of the two that Accept-Encoding likes best; what is not named is not wanted. */
export function acceptedEncoding(header: string): Encoding | undefined {
	let best: Encoding | undefined;
	let highest = 0;
	for (const part of header.toLowerCase().split(',')) {
		const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
		const quality = qualityOf(parameters);
		if (!isEncoding(name) || quality <= highest) continue;
		best = name;
		highest = quality;
	}
	return best;
}

function qualityOf(parameters: readonly string[]): number {
	const written = parameters.find((parameter) => parameter.startsWith('q='));
	return written === undefined ? 1 : Number(written.slice(2)) || 0;
}

/** @throws EngineError `TOO_LARGE` as soon as the unpacked body is, `INVALID_BODY` when it was not packed so */
export async function unpack(body: Uint8Array, encoding: Encoding, maxBytes: number): Promise<Uint8Array> {
	try {
		return await unpackers[encoding](body, { maxOutputLength: maxBytes });
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(`unpacked more than ${maxBytes}`, maxBytes);
		throw new EngineError('INVALID_BODY', `the body is not what Content-Encoding says, ${encoding}: ${(cause as Error).message}`, {
			cause,
		});
	}
}

/** The fastest level: answers are made to be read at once. */
export const pack = (body: Uint8Array, encoding: Encoding): Promise<Buffer> => packers[encoding](body, { level: constants.Z_BEST_SPEED });
