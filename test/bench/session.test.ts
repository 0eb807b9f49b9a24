/** What a run does when the generator falls behind, fails, or a server dies: a program that plays the generator's part says so. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import type { LoadSpec } from '../../bench/harness/load.js';
import { processTree } from '../../bench/harness/process-tree.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { loadResult } from './support/load-result.js';
import { withSession } from './support/run-session.js';

const spec: LoadSpec = {
	target: { transport: 'rpc', addresses: ['127.0.0.1:1'], path: '/rpc' },
	corpus: 'none',
	connections: 1,
	load: { mode: 'closed', in_flight: 1, seconds: 1 },
};

/** Prints the next of `answers` each time it runs, and writes down what it was asked. */
function generatorThat(script: string): string {
	const folder = temporaryFolder();
	writeFileSync(`${folder}/load.mjs`, `#!${process.execPath}\nconst folder = ${JSON.stringify(folder)};\n${script}\n`);
	chmodSync(`${folder}/load.mjs`, 0o755);
	vi.stubEnv('RANKD_LOAD', `${folder}/load.mjs`);
	return folder;
}

const printing = (...results: unknown[]) => `
	import { appendFileSync, readFileSync } from 'node:fs';
	appendFileSync(folder + '/asked', readFileSync(0, 'utf8') + '\\n');
	const runs = readFileSync(folder + '/asked', 'utf8').trim().split('\\n').length;
	console.log(JSON.stringify(${JSON.stringify(results)}.at(Math.min(runs, ${results.length}) - 1)));`;

const late = loadResult({ is_void: true, missed: 30, intended: 100 });

afterEach(() => vi.unstubAllEnvs());

test('a good run is taken as it is; the generator is asked once, with the spec', async () => {
	const folder = generatorThat(printing(loadResult({ completed: 7 })));
	const result = await withSession((session) => session.load(spec));
	expect(result.completed).toBe(7);
	expect(JSON.parse(readFileSync(`${folder}/asked`, 'utf8'))).toEqual(spec);
});

test('a void run is measured again', async () => {
	generatorThat(printing(late, loadResult({ completed: 9 })));
	const onStart = vi.fn();
	expect((await withSession((session) => session.load(spec, { onStart }))).completed).toBe(9);
	expect(onStart).toHaveBeenCalledTimes(2);
});

test('three void runs are a clear sentence', async () => {
	generatorThat(printing(late));
	await expect(withSession((session) => session.load(spec))).rejects.toThrow(
		'3 times: the generator sent 30 of 100 requests over 1 ms late, so the run is void',
	);
});

test('a run without a good answer tells what came instead', async () => {
	generatorThat(printing(loadResult({ completed: 0, sent: 5, errors: { '16': 5 } })));
	await expect(withSession((session) => session.load(spec))).rejects.toThrow(/of 5 requests none was answered well.*"16":5/);
});

test('a generator that fails is quoted', async () => {
	generatorThat("console.error('no such corpus'); process.exit(2);");
	await expect(withSession((session) => session.load(spec))).rejects.toThrow('the load generator failed (2): no such corpus');
});

test('a server that dies under load is told, with its last words', async () => {
	generatorThat(printing(loadResult()));
	const run = withSession(async (session) => {
		const command = [process.execPath, '-e', "console.log('out of memory'); setTimeout(() => process.exit(9), 100);"];
		const server = await session.startServer({ name: 'mortal', command, isReady: async () => true });
		await vi.waitUntil(() => processTree(server.pid).length === 0, { timeout: 10_000 });
		return await session.load(spec);
	});
	await expect(run).rejects.toThrow(/mortal ended under load:\nout of memory/);
});

test('a generator that has not been built is named', async () => {
	vi.stubEnv('RANKD_LOAD', '/no/such/generator');
	await expect(withSession((session) => session.load(spec))).rejects.toThrow('the load generator is not built');
});

test('closing a session breaks off what runs and removes its files', async () => {
	const folder = generatorThat("import { writeFileSync } from 'node:fs'; writeFileSync(folder + '/up', ''); setInterval(() => {}, 1000);");
	const left = await withSession(async (session) => {
		const loading = session.load(spec).catch((error: Error) => error.name);
		await vi.waitUntil(() => {
			try {
				return readFileSync(`${folder}/up`, 'utf8') === '';
			} catch {
				return false;
			}
		});
		await session.close();
		return { reason: await loading, folder: session.folder };
	});
	expect(left.reason).toBeTruthy();
	expect(() => readFileSync(left.folder)).toThrow('ENOENT');
});
