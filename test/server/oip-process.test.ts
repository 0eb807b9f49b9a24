/** /v2 of a whole process, started with Triton's flags: what belongs to all of its threads is the same on each. */
import { expect, test, vi } from 'vitest';
import { inferExample } from '../../src/server/oip/examples.js';
import { http, post } from '../support/http-request.js';
import { serve } from '../support/run-cli.js';
import { tritonModels } from '../support/with-server.js';

const flags = [
	'--model-control-mode=explicit',
	'--load-model=simple',
	'--http-thread-count',
	'2',
	'--id=triton',
	'--metrics-interval-ms=500',
];

/** Every call has a connection of its own, and the kernel chooses its thread. */
const CONNECTIONS = 16;
const each = <T>(call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: CONNECTIONS }, call));

test('models are loaded and unloaded for every thread at once', async () => {
	const run = await serve(flags, tritonModels);
	const base = `http://127.0.0.1:${run.port}/v2`;
	expect((await http(base)).json()).toMatchObject({ name: 'triton' });
	expect(run.stderr).toContain('--metrics-interval-ms does nothing');

	const slowIsReady = () => each(async () => (await http(`${base}/models/slow/ready`)).status);
	expect(new Set(await slowIsReady())).toEqual(new Set([404]));
	expect((await post(`${base}/repository/models/slow/load`, '')).json()).toEqual({ name: 'slow', load: true });
	expect(new Set(await slowIsReady())).toEqual(new Set([200]));
	expect((await post(`${base}/repository/models/slow/unload`, '')).json()).toEqual({ name: 'slow', unload: true });
	expect(new Set(await slowIsReady())).toEqual(new Set([404]));
	const index = await post(`${base}/repository/index`, '');
	expect(index.json()).toContainEqual({ name: 'slow', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' });

	const answers = await each(async () => (await post(`${base}/models/simple/infer`, JSON.stringify(inferExample))).status);
	expect(new Set(answers)).toEqual(new Set([200]));
	const [statistics] = (await http(`${base}/models/simple/stats`)).json()['model_stats'] as { inference_stats: object }[];
	expect(statistics).toMatchObject({ inference_stats: { success: { count: CONNECTIONS }, fail: { count: 0 } } });
});

test('the log is set on every thread by whichever is asked', async () => {
	const run = await serve(flags, tritonModels);
	const base = `http://127.0.0.1:${run.port}/v2`;
	const changed = (await post(`${base}/logging`, '{"log_verbose_level":1}')).json();
	expect(changed).toMatchObject({ log_verbose_level: 1 });
	for (const settings of await each(async () => (await http(`${base}/logging`)).json())) expect(settings).toEqual(changed);
	await post(`${base}/logging`, '{"log_info":false,"log_verbose_level":0}');
	const before = run.stderr.length;
	await post(`${base}/repository/models/slow/load`, '');
	await post(`${base}/logging`, '{"log_info":true}');
	await post(`${base}/repository/models/slow/load`, '');
	await vi.waitUntil(() => run.stderr.slice(before).includes('model loaded'));
	expect(run.stderr.slice(before).match(/model loaded/g)).toHaveLength(1);
});

test('what explicit control alone allows is 503 elsewhere', async () => {
	const run = await serve(['--model-control-mode=none'], tritonModels);
	const answer = await post(`http://127.0.0.1:${run.port}/v2/repository/models/simple/unload`, '');
	expect(answer.status).toBe(503);
	expect(answer.json()['error']).toBe('explicit model load / unload is not allowed if polling is enabled');
});
