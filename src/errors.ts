/** The one error class of rankd and the catalogue of its codes; `native/base/status_codes.inc` holds the same list. */

interface Entry {
	/** Goes on the wire and never changes its meaning. */
	number: number;
	/** HTTP status under /v1. */
	status: number;
	/** Whether the same request may succeed when it is sent again. */
	retryable: boolean;
}

const entry = (number: number, status: number, retryable: boolean): Entry => ({ number, status, retryable });

/** Every code by name; `docs/errors.md` explains each. */
export const catalogue = {
	OK: entry(0, 200, false),
	// The caller's mistake.
	INVALID_FRAME: entry(1, 400, false),
	INVALID_BODY: entry(2, 400, false),
	INVALID_ARGUMENT: entry(3, 400, false),
	UNSUPPORTED_EXTENSION: entry(4, 400, false),
	LIMIT_EXCEEDED: entry(5, 400, false),
	TOO_LARGE: entry(6, 413, false),
	SHAPE_MISMATCH: entry(7, 400, false),
	NOT_FINITE: entry(8, 400, false),
	UNKNOWN_OPERATION: entry(9, 404, false),
	UNKNOWN_MODEL: entry(10, 404, false),
	UNKNOWN_VERSION: entry(11, 404, false),
	UNSUPPORTED_OPERATION: entry(12, 400, false),
	UNKNOWN_ITEM: entry(13, 404, false),
	NOT_FOUND: entry(14, 404, false),
	METHOD_NOT_ALLOWED: entry(15, 405, false),
	// Our load and our life.
	OVERLOADED: entry(16, 503, true),
	DEADLINE_EXCEEDED: entry(17, 504, true),
	CANCELLED: entry(18, 499, false),
	DRAINING: entry(19, 503, true),
	MODEL_NOT_READY: entry(20, 503, true),
	// A bundle that cannot be served.
	BUNDLE_MISSING_FILE: entry(21, 500, false),
	BUNDLE_CHECKSUM_MISMATCH: entry(22, 500, false),
	BUNDLE_INVALID: entry(23, 500, false),
	BUNDLE_SIGNATURE_MISMATCH: entry(24, 500, false),
	BUNDLE_GOLDEN_MISMATCH: entry(25, 500, false),
	// Our side.
	MODEL_FAILED: entry(26, 500, false),
	ENGINE_CLOSED: entry(27, 503, false),
	INVALID_HANDLE: entry(28, 500, false),
	INVALID_CONFIG: entry(29, 500, false),
	PORT_IN_USE: entry(30, 500, false),
	CONNECTION_LOST: entry(31, 503, true),
	INTERNAL: entry(32, 500, false),
} as const satisfies Record<string, Entry>;

export type CodeName = keyof typeof catalogue;
export type ErrorCode = Exclude<CodeName, 'OK'>;

const namesByNumber = new Map(Object.entries(catalogue).map(([name, { number }]) => [number, name as CodeName]));

/** The name of a number from the wire; a number of a newer server reads as `INTERNAL`. */
export const codeName = (number: number): CodeName => namesByNumber.get(number) ?? 'INTERNAL';

/** The HTTP status under /v1 of a number from the wire. */
export const httpStatus = (number: number): number => catalogue[codeName(number)].status;

export interface EngineErrorOptions {
	retryAfterMs?: number | undefined;
	cause?: unknown;
}

/** What every part of rankd throws: a code of the catalogue and a sentence that says what to change. */
export class EngineError extends Error {
	override readonly name = 'EngineError';
	readonly code: ErrorCode;
	/** The HTTP status under /v1. */
	readonly status: number;
	readonly retryable: boolean;
	/** When to try again, for a server that knows. */
	readonly retryAfterMs: number | undefined;

	constructor(code: ErrorCode, message: string, { retryAfterMs, cause }: EngineErrorOptions = {}) {
		super(message, cause === undefined ? undefined : { cause });
		this.code = code;
		this.status = catalogue[code].status;
		this.retryable = catalogue[code].retryable;
		this.retryAfterMs = retryAfterMs;
	}

	/** Whatever was thrown as an EngineError: what has a code of the catalogue keeps it, anything else is a bug of ours. */
	static from(thrown: unknown): EngineError {
		if (thrown instanceof EngineError) return thrown;
		const { code, message, retryAfterMs } = Object(thrown) as { code?: unknown; message?: unknown; retryAfterMs?: number };
		if (isErrorCode(code)) return new EngineError(code, String(message), { retryAfterMs, cause: thrown });
		return new EngineError('INTERNAL', `this is a bug: ${message ?? thrown}`, { cause: thrown });
	}
}

function isErrorCode(code: unknown): code is ErrorCode {
	return typeof code === 'string' && code !== 'OK' && Object.hasOwn(catalogue, code);
}

/** An error as every transport sends it; the engine writes its own errors in the same form. */
export interface ErrorBody {
	error: string;
	code: ErrorCode;
	request_id: string | number | null;
	retry_after_ms?: number;
}

export function errorBody(error: EngineError, requestId: string | number | null = null): ErrorBody {
	const body: ErrorBody = { error: error.message, code: error.code, request_id: requestId };
	if (error.retryAfterMs) body.retry_after_ms = error.retryAfterMs;
	return body;
}
