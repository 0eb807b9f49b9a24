/** The body of one HTTP call, collected up to a limit. */
import type { HttpResponse } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import type { Traffic } from '../metrics/thread-row.js';

/** Who wants the body: one of the two is called, once. */
export interface BodyTaker {
	/** @param body uWebSockets' memory, its own again when this returns, unless the body came in several parts */
	take(body: Uint8Array | ArrayBuffer): void;
	/** The body is too large; what still comes of it is dropped. */
	refuse(error: EngineError): void;
}

export interface BodyLimits {
	maxBytes: number;
	/** What Content-Length says, 0 for a chunked body. */
	declaredBytes: number;
	traffic: Traffic;
}

/** Call it in the request's own callback, with an abort handler attached: an aborted body is taken by nobody. */
export function readBody(response: HttpResponse, { maxBytes, declaredBytes, traffic }: BodyLimits, taker: BodyTaker): void {
	if (declaredBytes > maxBytes) return taker.refuse(tooLarge(`${declaredBytes}`, maxBytes));
	/** All but the last of a body that comes in several. */
	let chunks: Uint8Array[] = [];
	let receivedBytes = 0;
	response.onData((chunk, isLast) => {
		if (receivedBytes > maxBytes) return;
		receivedBytes += chunk.byteLength;
		traffic.add('receivedBytes', chunk.byteLength);
		if (receivedBytes > maxBytes) {
			chunks = [];
			taker.refuse(tooLarge(`more than ${maxBytes}`, maxBytes));
		} else if (!isLast) {
			// uWebSockets takes the chunk's memory back when its callback returns.
			chunks.push(new Uint8Array(chunk.slice(0)));
		} else {
			taker.take(chunks.length === 0 ? chunk : Buffer.concat([...chunks, new Uint8Array(chunk)]));
		}
	});
}

export function tooLarge(bytes: string, maxBytes: number): EngineError {
	return new EngineError('TOO_LARGE', `the body has ${bytes} bytes, at most ${maxBytes} are accepted`);
}
