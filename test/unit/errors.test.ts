/** The catalogue equals the engine's list, and whatever is thrown becomes one kind of error. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalogue, codeName, EngineError, errorBody, GrpcStatus, httpStatus } from '../../src/errors.js';

test('the catalogue is the list that the C++ is compiled from', () => {
	const source = readFileSync(new URL('../../native/base/status_codes.inc', import.meta.url), 'utf8');
	const native = [...source.matchAll(/^X\((\d+), (\w+), (\d+), (true|false)\)/gm)].map(([, number, name, status, retryable]) => ({
		name,
		number: Number(number),
		status: Number(status),
		retryable: retryable === 'true',
	}));
	const ours = Object.entries(catalogue).map(([name, { number, status, retryable }]) => ({ name, number, status, retryable }));
	expect(ours).toEqual(native);
});

test('every code is explained in docs/errors.md with its number, statuses and retry advice', () => {
	const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
	const grpcNames = new Map<number, string>(Object.entries(GrpcStatus).map(([name, number]) => [number, name]));
	for (const [name, { number, status, oipStatus, grpc, retryable }] of Object.entries(catalogue)) {
		if (name === 'OK') continue;
		expect(docs).toContain(`| \`${name}\` | ${number} | ${status} | ${oipStatus} | ${grpcNames.get(grpc)} | ${retryable ? 'yes' : 'no'} |`);
	}
});

test('an error carries status and retry advice of its code', () => {
	const error = new EngineError('OVERLOADED', 'later', { retryAfterMs: 30 });
	expect(error).toMatchObject({
		name: 'EngineError',
		code: 'OVERLOADED',
		status: 503,
		retryable: true,
		retryAfterMs: 30,
		message: 'later',
	});
});

test('a native error with a code of the catalogue keeps code, message and retry advice', () => {
	const native = Object.assign(new Error('no such model'), { code: 'UNKNOWN_MODEL', retryAfterMs: 5 });
	const error = EngineError.from(native);
	expect(error).toMatchObject({ code: 'UNKNOWN_MODEL', message: 'no such model', retryAfterMs: 5, cause: native });
	expect(EngineError.from(error)).toBe(error);
});

test('anything else thrown is a bug of ours', () => {
	expect(EngineError.from(new TypeError('x is undefined'))).toMatchObject({ code: 'INTERNAL', message: 'this is a bug: x is undefined' });
	expect(EngineError.from('text')).toMatchObject({ code: 'INTERNAL', message: 'this is a bug: text' });
	expect(EngineError.from(Object.assign(new Error('gone'), { code: 'ENOENT' }))).toMatchObject({ code: 'INTERNAL' });
	expect(EngineError.from(Object.assign(new Error('odd'), { code: 'toString' }))).toMatchObject({ code: 'INTERNAL' });
});

test('a number of a newer server reads as INTERNAL', () => {
	expect(codeName(200)).toBe('INTERNAL');
	expect(httpStatus(200)).toBe(500);
	expect(codeName(0)).toBe('OK');
});

test('the body of an error names its request, and when to retry if that is known', () => {
	const error = new EngineError('DRAINING', 'bye');
	expect(errorBody(error)).toEqual({ error: 'bye', code: 'DRAINING', request_id: null });
	const later = new EngineError('OVERLOADED', 'later', { retryAfterMs: 7 });
	expect(errorBody(later, 'a-1')).toEqual({ error: 'later', code: 'OVERLOADED', request_id: 'a-1', retry_after_ms: 7 });
});
