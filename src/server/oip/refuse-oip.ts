/** Errors under /v2: our body, the statuses that Triton's clients know. */
import type { HttpResponse } from 'uWebSockets.js';
import { catalogue, type EngineError } from '../../errors.js';
import { Codec } from '../../native/addon.js';
import type { PageContext } from '../context.js';
import { type Reply, sendError } from '../reply.js';

/** What a feature that is not there is told beside its status: Content-Encoding is one of them. */
const encodings = ['Accept-Encoding', 'gzip, deflate'] as const;

export function refuseOip(
	context: PageContext,
	response: HttpResponse,
	error: EngineError,
	rest: Partial<Reply> = {},
	requestId?: string,
): void {
	context.traffic.addError(error.code);
	const status = catalogue[error.code].oipStatus;
	const headers = [...(rest.headers ?? []), ...(error.code === 'UNSUPPORTED_FEATURE' ? [encodings] : [])];
	sendError(response, error, Codec.json, requestId, { ...rest, status, headers });
}
