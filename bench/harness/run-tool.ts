/** Runs a program of the set-up to its end. */
import { spawn } from 'node:child_process';

export interface ToolOptions {
	cwd?: string;
	env?: Record<string, string>;
}

/** @returns its standard output. @throws with the last lines it printed when it fails or cannot be started */
export function runTool(command: readonly string[], { cwd, env }: ToolOptions = {}): Promise<string> {
	const [program, ...args] = command as [string, ...string[]];
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		const output: string[] = [];
		const errors: string[] = [];
		child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
		child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
		child.on('error', (cause) => reject(new Error(`cannot start ${program}: ${cause.message}`, { cause })));
		child.on('close', (code, signal) => {
			if (code === 0) return resolve(output.join(''));
			const lastWords = (errors.join('') || output.join('')).trimEnd().split('\n').slice(-12).join('\n');
			reject(new Error(`${program} ${args.slice(0, 4).join(' ')} … ended with ${signal ?? code}:\n${lastWords}`));
		});
	});
}
