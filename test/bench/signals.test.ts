/** A bench that is interrupted, or killed, takes everything it started along. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { inRoot } from '../../bench/harness/paths.js';
import { isAlive, processTree } from '../../bench/harness/process-tree.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The compiled command line, asking a question whose servers take their time; running once its server has children of its own. */
async function interruptible(): Promise<ChildProcess> {
	const cli = inRoot('build', 'bench', 'js', 'bench', 'harness', 'cli.js');
	const script = `
		const { main } = await import(${JSON.stringify(cli)});
		const write = (text) => process.stderr.write(text);
		const results = ${JSON.stringify(temporaryFolder())};
		process.exitCode = await main(['transport', '--seconds', '60'], { prepare: async () => {}, stdout: write, stderr: write, results });`;
	// What a killed bench could not remove goes with the test.
	const env = { ...process.env, TMPDIR: temporaryFolder() };
	const bench = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'], env });
	onTestFinished(() => {
		bench.kill('SIGKILL');
	});
	let said = '';
	bench.stderr?.setEncoding('utf8').on('data', (text) => {
		said += text;
	});
	// The bench, the echo server and the load generator.
	await vi.waitUntil(() => said.includes('transport: rpc tcp') && processTree(bench.pid ?? 0).length >= 3, { timeout: 15_000 });
	return bench;
}

test.each([
	['SIGINT', 130],
	['SIGTERM', 143],
] as const)('%s stops server and generator and ends with %d', async (signal, code) => {
	const bench = await interruptible();
	const tree = processTree(bench.pid ?? 0);
	bench.kill(signal);
	expect(await once(bench, 'exit')).toEqual([code, null]);
	expect(tree.filter(isAlive)).toEqual([]);
});

test('kill -9 leaves nothing either, where the kernel can be told so', async () => {
	const bench = await interruptible();
	const tree = processTree(bench.pid ?? 0);
	bench.kill('SIGKILL');
	await once(bench, 'exit');
	await vi.waitUntil(() => tree.filter(isAlive).length === 0, { timeout: 10_000 });
});
