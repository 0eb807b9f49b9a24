/** The command line as people and orchestrators meet it: built JavaScript, real processes and signals. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { freePort } from '../../bench/harness/free-port.js';
import { http, post } from '../support/http-request.js';
import { maskedFrame, RawWebSocket } from '../support/raw-websocket.js';
import { frame, read } from '../support/rpc-peer.js';
import { CliRun, serve } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { fixtureModels } from '../support/with-server.js';

async function outcome(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
	const run = new CliRun(args);
	const code = await run.finished();
	return { code, stdout: run.stdout, stderr: run.stderr };
}

describe('serve', () => {
	test('prints its address and a line to paste, logs to stderr, and stops with 0', async () => {
		const run = await serve();
		expect(run.stdout).toContain(`rankd listening on http://127.0.0.1:${run.port} (scorer@1.0.0, tiny@1.0.0)\n`);
		const [, path, body] = run.stdout.match(/try: curl -s (\S+) -d '(.+)'/) ?? [];
		expect((await post(path as string, body)).status).toBe(200);
		run.child.kill('SIGTERM');
		expect(await run.finished()).toBe(0);
		const lines = run.stderr
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as { msg: string });
		expect(lines.map(({ msg }) => msg)).toEqual(['model loaded', 'model loaded', 'listening', 'draining', 'stopped']);
	});

	test('a second server on the port is told so and exits with 1; the first serves on', async () => {
		const first = await serve();
		const second = await outcome('serve', '--host', '127.0.0.1', '--http-port', String(first.port), '--model-repository', fixtureModels);
		expect(second).toMatchObject({ code: 1, stdout: '' });
		expect(second.stderr).toBe(
			`rankd: PORT_IN_USE: port ${first.port} is already in use by another process; stop it or choose another with --http-port\n`,
		);
		expect((await http(`http://127.0.0.1:${first.port}/v2/health/ready`)).status).toBe(200);
	});

	test.each(['1', '2'])(
		'kill -TERM under load, %s I/O threads: every frame that was read is answered before the close frame',
		async (threads) => {
			const socket = join(temporaryFolder(), '{thread}.sock');
			const run = await serve(['--io-threads', threads, '--unix-socket', socket]);
			// Two peers on each thread, or four on the one.
			const paths = ['0', '1', '2', '3'].map((n) => socket.replace('{thread}', threads === '1' ? '0' : String(Number(n) % 2)));
			const peers = await Promise.all(paths.map((path) => RawWebSocket.connect(path)));
			// One thread may close its connections before the other does: who was sent what is written down.
			const sent = new Map(peers.map((peer) => [peer, [] as number[]]));
			let next = 0;
			const load = setInterval(() => {
				for (const peer of peers.filter(({ closeCode, isEnded }) => closeCode === undefined && !isEnded)) {
					const ids = Array.from({ length: 16 }, () => next++);
					sent.get(peer)?.push(...ids);
					peer.socket.write(Buffer.concat(ids.map((id) => maskedFrame(frame({ id, body: { k: 10 } })))));
				}
			}, 1);
			await vi.waitUntil(() => peers.every(({ messages }) => messages.length > 100), { timeout: 10_000 });
			run.child.kill('SIGTERM');
			expect(await run.finished()).toBe(0);
			clearInterval(load);
			for (const peer of peers) {
				expect(peer.closeCode).toBe(1012);
				// A connection's frames are read in order, so its answers are a prefix of what was sent: no id is missing in between.
				const answered = peer.messages.map((message) => read(message).id as number).sort((a, b) => a - b);
				expect(new Set(answered).size).toBe(answered.length);
				expect(sent.get(peer)?.slice(0, answered.length)).toEqual(answered);
			}
			expect(run.stderr).not.toContain('still open');
		},
	);

	test('an empty repository: alive, not ready, and the log says why', async () => {
		const port = await freePort();
		const ports = ['--host', '127.0.0.1', '--http-port', String(port), '--metrics-port', '0', '--grpc-port', '0'];
		const run = new CliRun(['serve', ...ports, '--model-repository', temporaryFolder()]);
		await vi.waitUntil(() => run.stdout.includes('no models yet'), { timeout: 20_000 });
		expect((await http(`http://127.0.0.1:${port}/v2/health/live`)).status).toBe(200);
		expect((await http(`http://127.0.0.1:${port}/v2/health/ready`)).status).toBe(503);
		expect(run.stderr).toContain('no model found');
	});

	test('a broken bundle: served around by default, not ready when strict, fatal when asked', async () => {
		const repository = temporaryFolder();
		cpSync(fixtureModels, repository, { recursive: true });
		rmSync(join(repository, 'tiny/1.0.0/item.ids'));
		const lenient = await serve([], repository);
		expect((await http(`http://127.0.0.1:${lenient.port}/v2/health/ready`)).status).toBe(200);
		const strict = await serve(['--strict-readiness'], repository);
		const ready = await http(`http://127.0.0.1:${strict.port}/v2/health/ready`);
		expect(ready.json()).toMatchObject({ ready: false, code: 'MODEL_NOT_READY', error: expect.stringContaining('tiny') });
		await expect(serve(['--exit-on-error'], repository)).rejects.toThrow(/rankd: BUNDLE_MISSING_FILE: .*tiny/);
	});

	const anyPorts = ['http', 'grpc', 'metrics'].flatMap((name) => [`--${name}-port`, '0']);

	test.each([
		[['--http-port', '80x'], 'rankd: INVALID_CONFIG: http_port must be a whole number from 0 to 65535, got "80x" (flag --http-port)\n'],
		[[...anyPorts, '--model-repository', '/no/such/folder'], 'model_repository /no/such/folder cannot be read'],
		[['--http-prot', '1'], '(Did you mean --http-port?)'],
		[['--config', '/no/such.yaml'], 'the configuration file /no/such.yaml cannot be read'],
	])('what makes no sense exits with 2: %j', async (args, words) => {
		const { code, stderr } = await outcome('serve', ...args);
		expect(code).toBe(2);
		expect(stderr).toContain(words);
	});

	test('a Unix socket is served beside the port', async () => {
		const path = join(temporaryFolder(), 'rankd.sock');
		const run = await serve(['--unix-socket', path]);
		await vi.waitUntil(() => run.stdout.includes(path));
		const { code, stdout } = await outcome('recommend', 'tiny', '-k', '2', '--url', `ws+unix:${path}:/rpc`);
		expect({ code, rows: stdout.trim().split('\n').length }).toEqual({ code: 0, rows: 4 });
	});
});

describe('models and recommend', () => {
	test('what a server serves, as a table and as JSON', async () => {
		const { port } = await serve();
		const url = `http://127.0.0.1:${port}`;
		expect((await outcome('models', '--url', url)).stdout).toMatch(/^name +version +aliases.*\nscorer +1\.0\.0 +champion/);
		const { models } = JSON.parse((await outcome('models', '--url', url, '--json')).stdout);
		expect(models.map(({ name }: { name: string }) => name)).toEqual(['scorer', 'tiny']);
		const rows = await outcome('recommend', 'tiny', '--history', 'item-03,item-40', '-k', '3', '--url', `ws://127.0.0.1:${port}/rpc`);
		expect(rows.stdout).toMatch(/^#\s+item\s+score\s+source\n(1\s+item-\d\d.*\n)(2.*\n)(3.*\n)tiny@1\.0\.0, \d+ µs\n$/);
		const failed = await outcome('recommend', 'films', '--url', `ws://127.0.0.1:${port}/rpc`);
		expect(failed.code).toBe(1);
		expect(failed.stderr).toMatch(/^rankd: UNKNOWN_MODEL: .*films/);
	});

	test('what a folder holds', async () => {
		const { code, stdout } = await outcome('models', '--model-repository', fixtureModels);
		expect(code).toBe(0);
		expect(stdout).toContain(join(fixtureModels, 'tiny/1.0.0'));
	});

	test('no server there', async () => {
		const port = await freePort();
		expect(await outcome('models', '--url', `http://127.0.0.1:${port}`)).toMatchObject({
			code: 1,
			stderr: expect.stringContaining('CONNECTION_LOST'),
		});
		expect(await outcome('recommend', 'tiny', '--url', `ws://127.0.0.1:${port}/rpc`)).toMatchObject({ code: 1 });
	});

	test.each([
		[[], 2],
		[['--help'], 0],
		[['serve', '--help'], 0],
		[['--version'], 0],
		[['recomend'], 2],
		[['recommend'], 2],
		[['recommend', 'tiny', '-k', 'x'], 2],
	])('rankd %j exits with %d', async (args, code) => {
		expect((await outcome(...args)).code).toBe(code);
	});
});
