/** The built command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { freePort } from '../../bench/harness/free-port.js';
import { fixtureModels } from './with-server.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export class CliRun {
	readonly child: ChildProcess;
	stdout = '';
	stderr = '';
	exitCode: number | null | undefined;

	constructor(args: readonly string[], environment: Record<string, string> = {}) {
		this.child = spawn(process.execPath, [cli, ...args], { env: { PATH: process.env['PATH'] ?? '', ...environment } });
		this.child.stdout?.on('data', (text) => {
			this.stdout += text;
		});
		this.child.stderr?.on('data', (text) => {
			this.stderr += text;
		});
		this.child.on('close', (code) => {
			this.exitCode = code;
		});
		onTestFinished(() => {
			this.child.kill('SIGKILL');
		});
	}

	/** @returns the exit code */
	async finished(): Promise<number | null> {
		if (this.exitCode === undefined) await once(this.child, 'close');
		return this.exitCode as number | null;
	}
}

/** `rankd serve` on free ports, listening when the promise resolves. */
export async function serve(
	args: readonly string[] = [],
	repository = fixtureModels,
	environment: Record<string, string> = {},
): Promise<CliRun & { port: number; metricsPort: number }> {
	const port = await freePort();
	const metricsPort = await freePort();
	const ports = ['--host', '127.0.0.1', '--http-port', String(port), '--metrics-port', String(metricsPort), '--grpc-port', '0'];
	const run = new CliRun(['serve', ...ports, '--model-repository', repository, ...args], environment);
	await vi.waitUntil(() => run.stdout.includes('metrics on') || run.exitCode !== undefined, { timeout: 20_000 });
	if (run.exitCode !== undefined) throw new Error(`rankd serve ended: ${run.stderr}`);
	return Object.assign(run, { port, metricsPort });
}
