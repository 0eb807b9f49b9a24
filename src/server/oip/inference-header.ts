/** `Inference-Header-Content-Length`: how much of a body is JSON, before its tensors in binary form. */
import { EngineError } from '../../errors.js';

const MAX_INT = 2 ** 31 - 1;

/**
 * @param bodyBytes of the unpacked body
 * @returns undefined without a header: all of it is JSON. @throws EngineError `INVALID_ARGUMENT`
 */
export function jsonBytesOf(header: string, bodyBytes: number): number | undefined {
	if (header === '') return undefined;
	const bytes = /^[+-]?\d{1,12}$/.test(header) ? Number(header) : Number.NaN;
	if (Number.isNaN(bytes) || bytes > MAX_INT || bytes < -MAX_INT - 1)
		throw new EngineError('INVALID_ARGUMENT', `Unable to parse Inference-Header-Content-Length, got: ${header}`);
	if (bytes >= 0 && bytes <= bodyBytes) return bytes;
	throw new EngineError('INVALID_ARGUMENT', `inference header size should be in range (0, ${bodyBytes}), got: ${header}`);
}
