/** Errors as gRPC tells them: a status, a sentence, and in the trailers our code and when to try again. */
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { catalogue, EngineError } from '../../errors.js';

/** Trailers share a header block with what proxies add, and clients accept 8 KiB of it; percent-encoding makes a character up to nine. */
const MAX_DETAILS = 512;

/** Whatever was thrown, as the end of a call. */
export function statusOf(thrown: unknown): StatusObject {
	const error = EngineError.from(thrown);
	const metadata = new Metadata();
	metadata.set('rankd-code', error.code);
	if (error.retryAfterMs) metadata.set('grpc-retry-pushback-ms', String(error.retryAfterMs));
	return { code: catalogue[error.code].grpc, details: printable(error.message), metadata };
}

/** grpc-js percent-encodes the text and fails on half a surrogate pair. */
function printable(text: string): string {
	const short = text.length <= MAX_DETAILS ? text : `${text.slice(0, MAX_DETAILS)} …`;
	return Buffer.from(short).toString();
}
