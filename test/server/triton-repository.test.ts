/** A repository in Triton's layout under a real engine: loaded, reloaded, overridden and unloaded while clients ask. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RankdClient } from '../../src/client/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Server, tritonModels, withServer } from '../support/with-server.js';

/** A copy of some of the fixtures. */
function copyOf(...models: string[]): string {
	const root = temporaryFolder();
	for (const model of models) cpSync(join(tritonModels, model), join(root, model), { recursive: true });
	return root;
}

const explicit = (root: string, ...loadModel: string[]) => ({ modelRepository: [root], modelControl: 'explicit', loadModel });
const row = { name: 'INPUT0', datatype: 'FP32' as const, shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
const notForced = { unloadDependents: false };

/** Asks over several connections until told to stop. @returns how many answers came; a failure is met there */
function keepAsking({ rpcUrl }: Server, target: string): () => Promise<number> {
	const client = new RankdClient(rpcUrl, { connections: 4 });
	let [answers, isOver] = [0, false];
	const ask = async () => {
		while (!isOver) {
			await client.infer(target, { inputs: [row] });
			answers++;
		}
	};
	const asking = Promise.all(Array.from({ length: 8 }, ask));
	asking.catch(() => {});
	return async () => {
		isOver = true;
		await asking.finally(() => client.close());
		return answers;
	};
}

async function answerOf({ rpcUrl }: Server, target: string): Promise<number[]> {
	const client = new RankdClient(rpcUrl);
	try {
		const { outputs } = await client.infer(target, { inputs: [row] });
		return Array.from(outputs[0]?.data as Float32Array);
	} finally {
		await client.close();
	}
}

test('every model of the fixtures serves, in the versions of its policy, and bundles beside them', async () => {
	const bundles = join(tritonModels, '../models');
	await withServer(
		async ({ report, oip }) => {
			expect(report.problems).toEqual([]);
			const ready = oip.index({ ready: true });
			expect(ready.filter(({ name }) => name === 'two_versions').map(({ version }) => version)).toEqual(['1', '3']);
			expect(ready).toContainEqual({ name: 'tiny', version: '1.0.0', state: 'READY' });
			expect(oip.config('simple')).toMatchObject({
				max_batch_size: 8,
				input: [
					{ name: 'INPUT0', data_type: 'TYPE_INT32', dims: [16] },
					{ name: 'INPUT1', data_type: 'TYPE_INT32', dims: [16] },
				],
			});
			expect(oip.config('identity_bytes')).toMatchObject({ input: [{ data_type: 'TYPE_STRING' }] });
			expect(oip.config('tiny')).toMatchObject({ parameters: { kind: { string_value: 'recommender' } } });
		},
		{ modelRepository: [tritonModels, bundles] },
	);
});

test('versions answer for themselves', () =>
	withServer(
		async (server) => {
			expect(await answerOf(server, 'two_versions')).toEqual([4, 5, 6, 7]);
			expect(await answerOf(server, 'two_versions@1')).toEqual([2, 3, 4, 5]);
			await expect(answerOf(server, 'two_versions@2')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
		},
		{ modelRepository: [tritonModels] },
	));

test('loads under traffic fail no request, and failed ones leave what serves', async () => {
	const root = copyOf('two_versions');
	await withServer(
		async (server) => {
			const stop = keepAsking(server, 'two_versions');
			const load = (parameters: { config?: string } = {}) => server.oip.load('two_versions', { files: {}, ...parameters });
			await load();
			await load({ config: '{"max_batch_size": "16", "version_policy": {"all": {}}}' });
			expect(server.oip.config('two_versions', '2')).toMatchObject({ max_batch_size: 16 });
			await expect(load({ config: '{"input": [{"name": "OTHER", "data_type": "TYPE_FP32", "dims": [4]}]}' })).rejects.toThrow(/OTHER/);
			writeFileSync(join(root, 'two_versions/3/model.onnx'), 'no graph');
			await expect(load()).rejects.toMatchObject({ code: expect.stringMatching(/^BUNDLE_/) });
			expect(server.oip.index({ ready: true }).map(({ version }) => version)).toEqual(['1', '2', '3']);
			expect(await stop()).toBeGreaterThan(0);
			expect(await answerOf(server, 'two_versions')).toEqual([4, 5, 6, 7]);
		},
		explicit(root, '*'),
	);
});

test('a model of files alone comes, answers, goes and comes back as the folder has it', async () => {
	const root = copyOf('two_versions');
	await withServer(async (server) => {
		expect(server.oip.index({ ready: false })).toEqual([{ name: 'two_versions' }]);
		const model = readFileSync(join(tritonModels, 'two_versions/1/model.onnx'));
		await server.oip.load('two_versions', { config: '{"max_batch_size": 4}', files: { '7/model.onnx': model } });
		expect(await answerOf(server, 'two_versions')).toEqual([2, 3, 4, 5]);
		expect(server.oip.index({ ready: true })).toEqual([{ name: 'two_versions', version: '7', state: 'READY' }]);
		await server.oip.load('two_versions', { files: {} });
		expect(await answerOf(server, 'two_versions')).toEqual([4, 5, 6, 7]);
		await server.oip.unload('two_versions', notForced);
		await expect(answerOf(server, 'two_versions')).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
		expect(server.oip.index({ ready: false })).toContainEqual({
			name: 'two_versions',
			version: '3',
			state: 'UNAVAILABLE',
			reason: 'unloaded',
		});
	}, explicit(root));
});

test('a version copied into a followed repository serves when it has settled', async () => {
	const root = copyOf('two_versions');
	rmSync(join(root, 'two_versions/config.pbtxt'));
	rmSync(join(root, 'two_versions/3'), { recursive: true });
	await withServer(
		async (server) => {
			expect(await answerOf(server, 'two_versions')).toEqual([3, 4, 5, 6]);
			cpSync(join(tritonModels, 'two_versions/3'), join(root, 'two_versions/3'), { recursive: true });
			expect((await server.repository.sync()).unsettled).toEqual([join(root, 'two_versions')]);
			expect(await server.repository.sync()).toMatchObject({ loaded: [{ version: '3' }], unloaded: [{ version: '2' }] });
			expect(await answerOf(server, 'two_versions')).toEqual([4, 5, 6, 7]);
		},
		{ modelRepository: [root] },
	);
});
