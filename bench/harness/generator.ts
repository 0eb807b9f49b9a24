/** Runs the load generator as a process of its own and reads its result. */
import { existsSync } from 'node:fs';
import { Unmeasurable } from './failures.js';
import type { LoadResult, LoadSpec } from './load.js';
import { inRoot } from './paths.js';
import { runToEnd } from './run-to-end.js';

/** The compiled generator; `RANKD_LOAD` names another. @throws Unmeasurable when it has not been built */
export function generatorProgram(): string {
	const program = process.env['RANKD_LOAD'] ?? inRoot('build', 'cmake', 'rankd-load');
	if (!existsSync(program)) throw new Unmeasurable('the load generator is not built: run npm run bench, or set RANKD_LOAD to it');
	return program;
}

/**
 * @param command the generator, pinned
 * @param signal aborted: the generator is killed
 * @throws Unmeasurable with what the generator said when it fails
 */
export async function generateLoad(command: readonly string[], spec: LoadSpec, signal: AbortSignal): Promise<LoadResult> {
	const stdout = await runToEnd('the load generator', command, { input: JSON.stringify(spec), signal });
	try {
		return JSON.parse(stdout) as LoadResult;
	} catch {
		throw new Unmeasurable(`the load generator printed no JSON: ${JSON.stringify(stdout.slice(0, 200))}`);
	}
}

/** Why a result says nothing about the server, or undefined when it does. */
export function problemOf({ is_void, missed, intended, sent, completed, errors, unanswered }: LoadResult): string | undefined {
	if (is_void) {
		return `the generator sent ${missed} of ${intended} requests over 1 ms late, so the run is void: give it a free core, or ask for less`;
	}
	if (completed > 0) return undefined;
	return `of ${sent} requests none was answered well (errors ${JSON.stringify(errors)}, ${unanswered} unanswered)`;
}
