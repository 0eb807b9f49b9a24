/** The gRPC thread of a whole server: built JavaScript, a real worker, real signals. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { GrpcClient } from '../support/grpc-client.js';
import { http } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { serve } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tritonModels } from '../support/with-server.js';

const input = { name: 'INPUT0', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1, 2, 3, 4] } };
const ask = { model_name: 'slow', inputs: [input] };

/** A server of Triton's models, and a client at the port that its greeting names. */
async function serveGrpc(flags: readonly string[] = [], environment: Record<string, string> = {}) {
	const run = await serve(flags, tritonModels, environment);
	const [, port] = /gRPC on 127\.0\.0\.1:(\d+)\n/.exec(run.stdout) ?? [];
	const client = new GrpcClient(Number(port));
	onTestFinished(() => client.close());
	return Object.assign(run, { client });
}

test('it serves, its traffic is in the scrape, and log settings reach it', async () => {
	const { client, metricsPort } = await serveGrpc();
	expect(await client.call('ServerReady')).toEqual({ ready: true });
	expect(await client.call('ModelInfer', ask)).toMatchObject({ model_name: 'slow' });
	await client.call('ModelInfer', { model_name: 'nobody' }).catch(() => {});
	const { models } = await client.call('RepositoryIndex', { ready: true });
	expect(models).toContainEqual({ name: 'simple', version: '1', state: 'READY', reason: '' });
	const changed = await client.call('LogSettings', { settings: { log_verbose_level: { uint32_param: 1 } } });
	expect((await client.call('LogSettings')).settings).toEqual(changed.settings);
	const metrics = parseMetrics((await http(`http://127.0.0.1:${metricsPort}/metrics`)).body.toString());
	expect(metrics.get('rankd_grpc_requests_total')).toBe(2);
	expect(metrics.get('rankd_grpc_calls_total')).toBe(4);
	expect(metrics.get('rankd_sent_bytes_total')).toBeGreaterThan(0);
});

test('without allow_grpc nothing listens', async () => {
	const { stdout } = await serve(['--allow-grpc', 'false'], tritonModels);
	expect(stdout).not.toContain('gRPC');
});

test('SIGTERM: every request that was read is answered, also those of a stream', async () => {
	const run = await serveGrpc();
	const stream = run.client.openStream('ModelStreamInfer');
	const answered: string[] = [];
	stream.on('data', ({ infer_response }) => answered.push(infer_response.id));
	const ended = new Promise<{ code: number }>((resolve) => stream.on('error', resolve));
	const ids = Array.from({ length: 50 }, (_, id) => String(id));
	for (const id of ids) stream.write({ ...ask, id });
	const unary = ids.map((id) => run.client.call('ModelInfer', { ...ask, id }));
	await vi.waitUntil(() => answered.length > 0);
	await Promise.race(unary);
	run.child.kill('SIGTERM');
	const results = await Promise.allSettled(unary);
	const codes = results.map((result) => (result.status === 'fulfilled' ? status.OK : (result.reason.code as number)));
	expect(codes.every((code) => code === status.OK || code === status.UNAVAILABLE)).toBe(true);
	expect((await ended).code).toBe(status.UNAVAILABLE);
	expect(await run.finished()).toBe(0);
	expect(run.stderr).not.toContain('still open');
});

test('when it fails, the process logs it and ends in order with 1', async () => {
	const flag = join(temporaryFolder(), 'now');
	const plant = new URL('../support/plant-fault.mjs', import.meta.url).href;
	const run = await serveGrpc([], { NODE_OPTIONS: `--import=${plant}`, PLANT_FAULT_AT: flag, PLANT_FAULT_IN: 'grpc' });
	writeFileSync(flag, '');
	expect(await run.finished()).toBe(1);
	const lines = run.stderr
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
	const [failure, ending] = lines.filter(({ level }) => level === 'fatal');
	expect(failure).toMatchObject({ thread: 'grpc', err: { stack: expect.stringContaining('planted by a test') } });
	expect(ending.err.stack).toContain('the gRPC thread has ended with code 1');
	expect(lines.at(-1).msg).toBe('stopped');
});
