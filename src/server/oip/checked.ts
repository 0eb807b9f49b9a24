/** A parsed body against its schema. */
import type { z } from 'zod';
import { EngineError } from '../../errors.js';

/** @throws EngineError `INVALID_ARGUMENT` that names the first field at fault */
export function checked<T>(schema: z.ZodType<T>, body: unknown): T {
	const result = schema.safeParse(body);
	if (result.success) return result.data;
	const [issue] = result.error.issues;
	const field = issue?.path.join('.') ?? '';
	throw new EngineError(
		'INVALID_ARGUMENT',
		field === '' ? `the body: ${issue?.message}` : `Invalid value for '${field}': ${issue?.message}`,
	);
}
