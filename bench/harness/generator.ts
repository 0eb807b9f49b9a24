/** Runs the load generator as a process of its own and reads its result. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Unmeasurable } from './failures.js';
import type { LoadResult, LoadSpec } from './load.js';
import { inRoot } from './root.js';

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
	const { code, stdout, stderr } = await runToEnd(command, JSON.stringify(spec), signal);
	if (code !== 0) throw new Unmeasurable(`the load generator failed (${code}): ${stderr.trim() || stdout.trim()}`);
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

interface Ended {
	code: number | string;
	stdout: string;
	stderr: string;
}

function runToEnd([program = '', ...args]: readonly string[], input: string, signal: AbortSignal): Promise<Ended> {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
		let stdout = '';
		let stderr = '';
		child.stdout.setEncoding('utf8').on('data', (text) => {
			stdout += text;
		});
		child.stderr.setEncoding('utf8').on('data', (text) => {
			stderr += text;
		});
		child.once('error', (error) => reject(new Unmeasurable(`${program} cannot be run: ${error.message}`)));
		child.once('close', (code, ended) => resolve({ code: code ?? ended ?? 'no exit code', stdout, stderr }));
		// A program that ends at once closes its input: its exit code says more than this error.
		child.stdin.once('error', () => {});
		child.stdin.end(input);
	});
}
