/** Several I/O threads behind one port: built JavaScript, real workers, real signals. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { http } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { maskedFrame, RawWebSocket } from '../support/raw-websocket.js';
import { frame, read } from '../support/rpc-peer.js';
import { type CliRun, serve } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { fixtureModels } from '../support/with-server.js';

const scrape = async (port: number) => parseMetrics((await http(`http://127.0.0.1:${port}/metrics`)).body.toString());

const perThread = (metrics: Map<string, number>, name: string) =>
	[0, 1].map((thread) => metrics.get(`rankd_io_thread_${name}{thread="${thread}"}`) ?? 0);

async function ask(peer: RawWebSocket, id: number): Promise<unknown> {
	const before = peer.messages.length;
	peer.socket.write(maskedFrame(frame({ id, body: { user: 'user-1', k: 3 } })));
	const messages = await peer.waitForMessages(before + 1);
	return read(messages.at(-1) as Buffer);
}

async function connectTo(where: number | string): Promise<RawWebSocket> {
	const peer = await RawWebSocket.connect(where);
	onTestFinished(() => {
		peer.socket.destroy();
	});
	return peer;
}

/** Two threads, and a Unix socket's path to each. */
async function serveTwo(flags: readonly string[] = [], environment: Record<string, string> = {}) {
	const socket = join(temporaryFolder(), 'rankd.sock');
	const run = await serve(['--io-threads', '2', '--unix-socket', socket, ...flags], fixtureModels, environment);
	return Object.assign(run, { paths: [socket, `${socket}.1`] as const });
}

const logLines = (run: CliRun) =>
	run.stderr
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as { msg: string; level: string; thread?: number; err?: { stack: string } });

test('the kernel spreads connections of one port over the threads, and each answers right', async () => {
	const { port, metricsPort } = await serveTwo();
	const peers: RawWebSocket[] = [];
	// By chance a thread may get none of the first few: 64 connections on one thread are a matter of 2^-63.
	while (peers.length < 64 && Math.min(...perThread(await scrape(metricsPort), 'connections')) < 1) peers.push(await connectTo(port));
	const answers = await Promise.all(peers.map((peer, id) => ask(peer, id)));
	const [first] = answers as [{ body: { items: unknown } }];
	expect(answers).toMatchObject(peers.map((_, id) => ({ id, number: 0, body: { items: first.body.items } })));
	const metrics = await scrape(metricsPort);
	expect(Math.min(...perThread(metrics, 'frames_total'))).toBeGreaterThan(0);
	expect(metrics.get('rankd_rpc_connections')).toBe(peers.length);
});

test('how late sockets are read is told for each thread', async () => {
	const series = (thread: number) => `rankd_receive_delay_seconds_count{thread="${thread}"}`;
	const { metricsPort } = await serveTwo();
	await vi.waitUntil(async () => {
		const metrics = await scrape(metricsPort);
		return [0, 1].every((thread) => (metrics.get(series(thread)) ?? 0) > 2);
	});
});

test('each thread has a Unix socket, and one scrape shows the traffic of both, whoever is asked', async () => {
	const { port, metricsPort, paths, stdout } = await serveTwo();
	for (const path of paths) expect(stdout).toContain(`and on ${path}\n`);
	const [zero, one] = await Promise.all(paths.map(connectTo));
	for (const id of [1, 2, 3]) await ask(one as RawWebSocket, id);
	await ask(zero as RawWebSocket, 4);
	for (const asked of [metricsPort, port, port, port]) {
		const metrics = await scrape(asked);
		expect(perThread(metrics, 'frames_total')).toEqual([1, 3]);
		expect(metrics.get('rankd_rpc_frames_total')).toBe(4);
		expect(metrics.get('rankd_request_duration_seconds_count{model="tiny",version="1.0.0",operation="recommend"}')).toBe(4);
		expect(metrics.get('rankd_io_threads')).toBe(2);
		expect(metrics.get('rankd_event_loop_lag_seconds{thread="1",quantile="0.5"}')).toBeGreaterThanOrEqual(0);
	}
});

test('health and pages are answered by any thread and by the main thread, which takes no work', async () => {
	const { port, metricsPort } = await serveTwo();
	for (const asked of [metricsPort, ...Array.from({ length: 8 }, () => port)]) {
		const base = `http://127.0.0.1:${asked}`;
		expect((await http(`${base}/v2/health/live`)).json()).toEqual({ live: true });
		expect((await http(`${base}/v2/health/ready`)).json()).toEqual({ ready: true });
		expect((await http(`${base}/v1/models`)).json()).toMatchObject({ models: [{ name: 'scorer' }, { name: 'tiny' }] });
	}
	const main = `http://127.0.0.1:${metricsPort}`;
	expect((await http(main)).json()['links']).not.toHaveProperty('recommend');
	expect((await http(`${main}/v1/recommend/tiny`, { method: 'POST', body: '{}' })).status).toBe(404);
	expect((await scrape(port)).get('rankd_errors_total{code="NOT_FOUND"}')).toBe(1);
});

test('strict readiness is one answer on every thread', async () => {
	const repository = temporaryFolder();
	writeFileSync(join(repository, 'aliases.json'), '{}');
	const run = await serve(['--io-threads', '2', '--strict-readiness'], repository);
	for (const port of [run.metricsPort, run.port, run.port, run.port, run.port])
		expect((await http(`http://127.0.0.1:${port}/v2/health/ready`)).json()).toMatchObject({ ready: false, code: 'MODEL_NOT_READY' });
});

test('max_connections counts the connections of all threads', async () => {
	const { paths } = await serveTwo(['--max-connections', '2']);
	await connectTo(paths[0]);
	await connectTo(paths[1]);
	await expect(connectTo(paths[0])).rejects.toThrow('503');
	await expect(connectTo(paths[1])).rejects.toThrow('OVERLOADED');
});

test('without observability the answers keep their timing and the scrape has no histograms', async () => {
	const { paths, metricsPort } = await serveTwo(['--observability', 'false']);
	expect(await ask(await connectTo(paths[1]), 1)).toMatchObject({ number: 0, body: { timing: { total: expect.any(Number) } } });
	const metrics = await scrape(metricsPort);
	expect([...metrics.keys()].filter((name) => name.startsWith('rankd_request_duration'))).toEqual([]);
	expect(metrics.get('rankd_rpc_frames_total')).toBe(1);
});

test('a thread that fails is logged with its stack; the others drain, and the process exits with 1', async () => {
	const flag = join(temporaryFolder(), 'now');
	const plant = new URL('../support/plant-fault.mjs', import.meta.url).href;
	const run = await serveTwo([], { NODE_OPTIONS: `--import=${plant}`, PLANT_FAULT_AT: flag });
	const [victim, bystander] = await Promise.all(run.paths.map(connectTo));
	await ask(victim as RawWebSocket, 1);
	await ask(bystander as RawWebSocket, 2);
	writeFileSync(flag, '');
	expect(await run.finished()).toBe(1);
	await vi.waitUntil(() => bystander?.isEnded && victim?.isEnded);
	expect(bystander?.closeCode).toBe(1012);
	expect(victim?.closeCode).toBeUndefined();
	const [failure, ending] = logLines(run).filter(({ level }) => level === 'fatal');
	expect(failure).toMatchObject({ thread: 0, err: { stack: expect.stringContaining('planted by a test') } });
	expect(ending?.err?.stack).toContain('I/O thread 0 has ended with code 1');
	expect(logLines(run).at(-1)?.msg).toBe('stopped');
});

test('a second signal ends the process at once with 1, whatever its threads do', async () => {
	const run = await serveTwo();
	// The linger of an open connection leaves time for the second signal.
	await connectTo(run.paths[0]);
	run.child.kill('SIGTERM');
	await vi.waitUntil(() => run.stderr.includes('draining'));
	run.child.kill('SIGTERM');
	await once(run.child, 'exit');
	expect(await run.finished()).toBe(1);
	expect(run.stderr).not.toContain('Assertion');
});
