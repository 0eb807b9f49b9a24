/** Runs the load generator to its end and keeps everything it said. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Call, frameOf, writeCorpus } from '../../../bench/harness/corpus.js';
import { generatorProgram } from '../../../bench/harness/generator.js';
import type { LoadResult, LoadSpec } from '../../../bench/harness/load.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

export interface Ran {
	code: number | null;
	stdout: string;
	stderr: string;
	/** Of a run that printed one. */
	result: LoadResult;
}

export function runProgram(args: readonly string[], input = ''): Promise<Ran> {
	return new Promise((resolve, reject) => {
		const child = spawn(generatorProgram(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
		const said = { stdout: '', stderr: '' };
		child.stdout.on('data', (text) => {
			said.stdout += text;
		});
		child.stderr.on('data', (text) => {
			said.stderr += text;
		});
		child.once('error', reject);
		child.stdin.once('error', () => {});
		child.once('close', (code) => {
			resolve({ code, ...said, result: said.stdout.startsWith('{"') ? JSON.parse(said.stdout) : undefined });
		});
		child.stdin.end(input);
	});
}

export const runGenerator = (spec: unknown): Promise<Ran> => runProgram([], JSON.stringify(spec));

/** The result of a run that must succeed. */
export async function measure(spec: LoadSpec): Promise<LoadResult> {
	const { code, stderr, result } = await runGenerator(spec);
	if (code !== 0) throw new Error(`the generator failed (${code}): ${stderr}`);
	return result;
}

export const corpusOf = (entries: readonly Uint8Array[]): string => {
	const path = join(temporaryFolder(), 'corpus.bin');
	writeCorpus(path, entries);
	return path;
};

/** Frames whose body names their place, so that a server can tell the order. */
export const frames = (count: number, call: Partial<Call> = {}): Buffer[] =>
	Array.from({ length: count }, (_, place) => frameOf({ operation: 1, target: 'x', body: { place }, ...call }));

export const constant = (per_second: number, seconds: number): LoadSpec['load'] => ({
	mode: 'open',
	arrivals: 'constant',
	profile: [{ seconds, per_second }],
});

/** Everything that a run sent has exactly one end. */
export const endsOf = ({ completed, unanswered, errors }: LoadResult): number =>
	completed + unanswered + Object.values(errors).reduce((sum, count) => sum + count, 0);
