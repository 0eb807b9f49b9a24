/** What an answer that is no 200 means, whichever server of the protocol wrote it. */
import { catalogue, EngineError, type ErrorCode } from '../errors.js';
import type { OipReply } from './oip-http.js';

/** For servers that send no code of ours. */
const codes: Readonly<Record<number, ErrorCode>> = {
	400: 'INVALID_ARGUMENT',
	403: 'RESTRICTED',
	404: 'NOT_FOUND',
	405: 'METHOD_NOT_ALLOWED',
	413: 'TOO_LARGE',
	429: 'OVERLOADED',
	499: 'CANCELLED',
	501: 'UNSUPPORTED_FEATURE',
	503: 'OVERLOADED',
	504: 'DEADLINE_EXCEEDED',
};

export function errorOf({ status, headers, body }: OipReply): EngineError {
	const { error, code, retry_after_ms } = told(body);
	const message = typeof error === 'string' ? error : `the server answered ${status} without a reason`;
	const retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : 1000 * Number(headers['retry-after'] ?? 0) || undefined;
	return new EngineError(isOurs(code) ? code : (codes[status] ?? 'INTERNAL'), message, { retryAfterMs });
}

/** Proxies answer in HTML. */
function told(body: Buffer): { error?: unknown; code?: unknown; retry_after_ms?: unknown } {
	try {
		return Object(JSON.parse(body.toString()));
	} catch {
		return {};
	}
}

const isOurs = (code: unknown): code is ErrorCode => typeof code === 'string' && code !== 'OK' && Object.hasOwn(catalogue, code);
