/** The one error class of rankd and the catalogue of its codes; `native/base/status_codes.inc` holds the same list. */

interface Entry {
	/** Goes on the wire and never changes its meaning. */
	number: number;
	/** HTTP status under /v1. */
	status: number;
	/** HTTP status under /v2, where the Open Inference Protocol's clients expect Triton's. */
	oipStatus: number;
	/** Status of a gRPC call. */
	grpc: GrpcStatus;
	/** Whether the same request may succeed when it is sent again. */
	retryable: boolean;
}

/** The numbers that gRPC gives its statuses. */
export const GrpcStatus = {
	OK: 0,
	CANCELLED: 1,
	UNKNOWN: 2,
	INVALID_ARGUMENT: 3,
	DEADLINE_EXCEEDED: 4,
	NOT_FOUND: 5,
	PERMISSION_DENIED: 7,
	RESOURCE_EXHAUSTED: 8,
	UNIMPLEMENTED: 12,
	INTERNAL: 13,
	UNAVAILABLE: 14,
} as const;
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

function entry(
	number: number,
	statuses: number | readonly [v1: number, v2: number],
	grpc: keyof typeof GrpcStatus,
	retryable = false,
): Entry {
	const [status, oipStatus] = typeof statuses === 'number' ? [statuses, statuses] : statuses;
	return { number, status, oipStatus, grpc: GrpcStatus[grpc], retryable };
}

/** Every code by name; `docs/errors.md` explains each. */
export const catalogue = {
	OK: entry(0, 200, 'OK'),
	// The caller's mistake.
	INVALID_FRAME: entry(1, 400, 'INVALID_ARGUMENT'),
	INVALID_BODY: entry(2, 400, 'INVALID_ARGUMENT'),
	INVALID_ARGUMENT: entry(3, 400, 'INVALID_ARGUMENT'),
	UNSUPPORTED_EXTENSION: entry(4, 400, 'INVALID_ARGUMENT'),
	LIMIT_EXCEEDED: entry(5, 400, 'INVALID_ARGUMENT'),
	TOO_LARGE: entry(6, 413, 'RESOURCE_EXHAUSTED'),
	SHAPE_MISMATCH: entry(7, 400, 'INVALID_ARGUMENT'),
	NOT_FINITE: entry(8, 400, 'INVALID_ARGUMENT'),
	UNKNOWN_OPERATION: entry(9, 404, 'NOT_FOUND'),
	UNKNOWN_MODEL: entry(10, 404, 'NOT_FOUND'),
	UNKNOWN_VERSION: entry(11, 404, 'NOT_FOUND'),
	UNSUPPORTED_OPERATION: entry(12, [400, 501], 'UNIMPLEMENTED'),
	UNKNOWN_ITEM: entry(13, 404, 'NOT_FOUND'),
	NOT_FOUND: entry(14, 404, 'NOT_FOUND'),
	METHOD_NOT_ALLOWED: entry(15, 405, 'UNIMPLEMENTED'),
	// Our load and our life.
	OVERLOADED: entry(16, 503, 'UNAVAILABLE', true),
	DEADLINE_EXCEEDED: entry(17, [504, 503], 'DEADLINE_EXCEEDED', true),
	CANCELLED: entry(18, [499, 400], 'CANCELLED'),
	DRAINING: entry(19, 503, 'UNAVAILABLE', true),
	MODEL_NOT_READY: entry(20, 503, 'UNAVAILABLE', true),
	// A bundle that cannot be served.
	BUNDLE_MISSING_FILE: entry(21, 500, 'INTERNAL'),
	BUNDLE_CHECKSUM_MISMATCH: entry(22, 500, 'INTERNAL'),
	BUNDLE_INVALID: entry(23, 500, 'INTERNAL'),
	BUNDLE_SIGNATURE_MISMATCH: entry(24, 500, 'INTERNAL'),
	BUNDLE_GOLDEN_MISMATCH: entry(25, 500, 'INTERNAL'),
	// Our side.
	MODEL_FAILED: entry(26, 500, 'INTERNAL'),
	ENGINE_CLOSED: entry(27, 503, 'UNAVAILABLE'),
	INVALID_HANDLE: entry(28, 500, 'INTERNAL'),
	INVALID_CONFIG: entry(29, 500, 'INTERNAL'),
	PORT_IN_USE: entry(30, 500, 'INTERNAL'),
	CONNECTION_LOST: entry(31, 503, 'UNAVAILABLE', true),
	INTERNAL: entry(32, 500, 'INTERNAL'),
	// Of the Open Inference Protocol and of administration.
	INVALID_SHAPE: entry(33, [400, 500], 'INVALID_ARGUMENT'),
	UNSUPPORTED_FEATURE: entry(34, 501, 'UNIMPLEMENTED'),
	RESTRICTED: entry(35, 403, 'PERMISSION_DENIED'),
	NOT_ALLOWED: entry(36, [400, 503], 'UNAVAILABLE'),
	// Of feedback.
	EVENT_LOG_FAILED: entry(37, 503, 'UNAVAILABLE', true),
} as const satisfies Record<string, Entry>;

export type CodeName = keyof typeof catalogue;
export type ErrorCode = Exclude<CodeName, 'OK'>;

const namesByNumber = new Map(Object.entries(catalogue).map(([name, { number }]) => [number, name as CodeName]));

/** The name of a number from the wire; a number of a newer server reads as `INTERNAL`. */
export const codeName = (number: number): CodeName => namesByNumber.get(number) ?? 'INTERNAL';

/** The HTTP status under /v1 of a number from the wire. */
export const httpStatus = (number: number): number => catalogue[codeName(number)].status;

/** The same under /v2. */
export const oipStatus = (number: number): number => catalogue[codeName(number)].oipStatus;

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

/** As a request brings it. */
export type RequestId = string | number | bigint | null;

/** An error as every transport sends it; the engine writes its own errors in the same form. */
export interface ErrorBody {
	error: string;
	code: ErrorCode;
	request_id: RequestId;
	retry_after_ms?: number;
}

export function errorBody(error: EngineError, requestId: RequestId = null): ErrorBody {
	const body: ErrorBody = { error: error.message, code: error.code, request_id: requestId };
	if (error.retryAfterMs) body.retry_after_ms = error.retryAfterMs;
	return body;
}
