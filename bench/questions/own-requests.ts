/** A user's own requests from a file: one JSON body a line, for one operation of one model. */
import { existsSync, readFileSync } from 'node:fs';
import type { Requests } from '../harness/endpoints.js';
import { UsageError } from '../harness/failures.js';

const operations = ['recommend', 'rank', 'similar', 'score', 'infer'] as const;
const isOperation = (name: string): name is Requests['operation'] => (operations as readonly string[]).includes(name);

/**
 * @param target as in the HTTP path: `rank/packages`, `score/fraudguard@champion`
 * @throws UsageError that names the line which is no JSON object
 */
export function ownRequests(file: string, target: string | undefined): Requests {
	const [operation = '', model = ''] = target?.split('/') ?? [];
	if (!isOperation(operation) || model === '') {
		throw new UsageError(
			`--requests needs --target, an operation and a model such as rank/packages; operations are ${operations.join(', ')}`,
		);
	}
	if (!existsSync(file)) throw new UsageError(`--requests: there is no file ${file}`);
	const lines = readFileSync(file, 'utf8').split('\n');
	const bodies = lines.flatMap((line, at) => (line.trim() === '' ? [] : [bodyOf(line, at + 1)]));
	if (bodies.length === 0) throw new UsageError(`--requests: ${file} holds no request`);
	return { operation, target: model, bodies };
}

function bodyOf(line: string, number: number): unknown {
	try {
		const body: unknown = JSON.parse(line);
		if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
	} catch {
		// Told below, as any other slip.
	}
	throw new UsageError(`--requests: line ${number} is no JSON object: ${line.slice(0, 60)}`);
}
