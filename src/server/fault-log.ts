/** Faults of ours are logged with the request they happened to; their answers were written in C++, so they are read back here. */
import { unpack } from 'msgpackr';
import type { ErrorBody } from '../errors.js';
import type { Logger } from '../log.js';

const OPENING_BRACE = 0x7b;

export const logFaults =
	(log: Logger) =>
	(code: string, bytes: Uint8Array): void => {
		const { error, request_id } = readError(bytes);
		log.error({ code, request_id }, error);
	};

/** The error body of an HTTP answer in either codec, or the last element of an RPC frame. */
function readError(bytes: Uint8Array): ErrorBody {
	if (bytes[0] === OPENING_BRACE) return JSON.parse(Buffer.from(bytes).toString());
	const answer = unpack(bytes);
	return Array.isArray(answer) ? answer[5] : answer;
}
