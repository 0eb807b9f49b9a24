/** Runs a measuring program to its end; it dies with the run that wanted it. */
import { spawn } from 'node:child_process';
import { Unmeasurable } from './failures.js';
import { putFirst } from './put-first.js';
import { tethered } from './tether.js';

interface Ended {
	code: number | string;
	stdout: string;
	stderr: string;
}

/**
 * @param name how errors call it
 * @param signal aborted: the program is killed; the promise settles when it has gone
 * @returns what it printed. @throws Unmeasurable with its last words when it fails
 */
export async function runToEnd(
	name: string,
	command: readonly string[],
	{ input = '', signal }: { input?: string; signal: AbortSignal },
): Promise<string> {
	const { code, stdout, stderr } = await ended(command, input, signal);
	signal.throwIfAborted();
	if (code === 0) return stdout;
	throw new Unmeasurable(`${name} failed (${code}): ${stderr.trim() || stdout.trim()}`);
}

function ended(command: readonly string[], input: string, signal: AbortSignal): Promise<Ended> {
	const [program = '', ...args] = tethered(command);
	return new Promise((resolve, reject) => {
		// A session of its own can be put first.
		const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
		putFirst(child.pid);
		const kill = () => child.kill('SIGKILL');
		signal.addEventListener('abort', kill);
		let stdout = '';
		let stderr = '';
		child.stdout.setEncoding('utf8').on('data', (text) => {
			stdout += text;
		});
		child.stderr.setEncoding('utf8').on('data', (text) => {
			stderr += text;
		});
		child.once('error', (error) => reject(new Unmeasurable(`${program} cannot be run: ${error.message}`)));
		child.once('close', (code, killed) => {
			signal.removeEventListener('abort', kill);
			resolve({ code: code ?? killed ?? 'no exit code', stdout, stderr });
		});
		// A program that ends at once closes its input: its exit code says more than this error.
		child.stdin.once('error', () => {});
		child.stdin.end(input);
	});
}
