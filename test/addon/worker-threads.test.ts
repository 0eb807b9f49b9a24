import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { loadAddon } from '../../src/native/load-addon.js';
import { ask, fixture, frame } from './frames.js';

const addon = loadAddon();

/** Runs `requests` requests over a core in a worker thread and resolves to how many were answered well. */
async function runWorker(coreId: number, requests: number): Promise<number> {
	const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { coreId, requests } });
	const exited = once(worker, 'exit');
	const [served] = await once(worker, 'message');
	await exited;
	return served as number;
}

test('several worker threads use one core at once, while it reloads its model', async () => {
	// On a busy machine estimates of the wait may be anything; here nobody is to be refused.
	const core = addon.createCore({ computeThreads: 2, maxWaitMs: 3_600_000 });
	await core.load(fixture('tiny'));
	const workers = Promise.all([1, 2, 3].map(() => runWorker(core.id, 2000)));
	for (let i = 0; i < 5; i++) await core.load(fixture('tiny'));
	expect(await workers).toEqual([2000, 2000, 2000]);
	const handle = addon.attach(core.id);
	expect(ask(handle, frame(1, 'tiny', {})).code).toBe(0);
	handle.detach();
	await core.close();
});

test('a worker that ends without detaching leaves the core in order', async () => {
	const core = addon.createCore({ computeThreads: 1 });
	await core.load(fixture('tiny'));
	const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { coreId: core.id, requests: 0 } });
	await once(worker, 'exit');
	expect(core.stats().models).toHaveLength(1);
	await core.close();
});
