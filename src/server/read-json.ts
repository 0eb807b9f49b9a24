/** The small JSON body of an administrative call. */
import type { HttpResponse } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import type { Traffic } from '../metrics/thread-row.js';
import { readBody } from './body-reader.js';

const MAX_BYTES = 64 * 1024;

/**
 * Call it in the request's own callback, with an abort handler attached. No body reads as `{}`.
 * @throws EngineError `INVALID_BODY` | `TOO_LARGE`
 */
export async function readJson(response: HttpResponse, traffic: Traffic, maxBytes = MAX_BYTES): Promise<unknown> {
	return parseJson(await readBytes(response, traffic, maxBytes));
}

/** The body as it came, as memory of its own. @throws EngineError `TOO_LARGE` */
export function readBytes(response: HttpResponse, traffic: Traffic, maxBytes: number): Promise<Uint8Array> {
	return new Promise((resolve, reject) => {
		const take = (body: Uint8Array | ArrayBuffer) => resolve(body instanceof ArrayBuffer ? new Uint8Array(body.slice(0)) : body);
		readBody(response, { maxBytes, declaredBytes: 0, traffic }, { take, refuse: reject });
	});
}

/** @throws EngineError `INVALID_BODY` */
export function parseJson(body: Uint8Array): unknown {
	const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
	if (text.trim() === '') return {};
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new EngineError('INVALID_BODY', `the body is not JSON: ${(cause as Error).message}`, { cause });
	}
}
