/** The repository as clients of the Open Inference Protocol see it: index, load, unload, configuration. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { OipControl } from '../../src/control/oip-control.js';
import { recordedRepository } from '../support/recorded-repository.js';
import { temporaryFolder } from '../support/temporary-folder.js';

type Given = Parameters<typeof recordedRepository>[0];

function controlled(files: Record<string, string>, config: NonNullable<Given>['config'] = {}) {
	const root = temporaryFolder(files);
	const all = recordedRepository({ root, config: { modelControl: 'explicit', ...config } });
	const control = new OipControl(all.repository, all.config);
	const load = (name: string, parameters: { config?: string; files?: Record<string, Uint8Array> } = {}) =>
		control.load(name, { files: {}, ...parameters });
	return { ...all, control, load, index: (ready = false) => control.index({ ready }) };
}

const two = { 'net/1/model.onnx': '', 'net/2/model.onnx': '', 'book/1.0.0/manifest.json': '{"name": "book", "version": "1.0.0"}' };
const unload = { unloadDependents: false };

test('explicit control starts with bundles alone, or with what is chosen', async () => {
	for (const [loadModel, calls] of [
		[[], ['load book 1.0.0']],
		[['net'], ['load net 2']],
		[['*'], ['load book 1.0.0', 'load net 2']],
	] as const) {
		const { repository, engine } = controlled(two, { loadModel: [...loadModel] });
		await repository.sync();
		expect(engine.take()).toEqual(calls);
	}
});

test('a model chosen for the start that is not there is a problem', async () => {
	const { repository } = controlled(two, { loadModel: ['nothing'] });
	expect((await repository.sync()).problems).toMatchObject([
		{ error: { code: 'UNKNOWN_MODEL', message: "failed to load 'nothing', failed to poll from model repository" } },
	]);
});

test('the index follows a model through its life', async () => {
	const { control, engine, index, load, root } = controlled(two);
	expect(index()).toEqual([{ name: 'book' }, { name: 'net' }]);
	engine.isSlow = true;
	const loading = load('net');
	await Promise.resolve();
	await Promise.resolve();
	expect(index()).toContainEqual({ name: 'net', version: '2', state: 'LOADING' });
	await loading;
	expect(index(true)).toEqual([{ name: 'net', version: '2', state: 'READY' }]);
	await control.unload('net', unload);
	expect(index()).toEqual([{ name: 'book' }, { name: 'net', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' }]);
	expect(index(true)).toEqual([]);
	engine.broken.add(join(root, 'net/2'));
	await expect(load('net')).rejects.toMatchObject({ code: 'BUNDLE_CHECKSUM_MISMATCH' });
	expect(index()).toContainEqual({ name: 'net', version: '2', state: 'UNAVAILABLE', reason: 'item.ids: sha256 differs' });
});

test('a load loads again what serves already, and a failed one leaves it', async () => {
	const { engine, index, load, root } = controlled(two);
	await load('net');
	await load('net');
	expect(engine.take()).toEqual(['load net 2', 'load net 2']);
	engine.broken.add(join(root, 'net/2'));
	await expect(load('net')).rejects.toThrow('sha256 differs');
	expect(index(true)).toEqual([{ name: 'net', version: '2', state: 'READY' }]);
	await load('book');
	expect(engine.take()).toEqual(['load net 2', 'load book 1.0.0']);
});

test('a load that fails for one version unloads none', async () => {
	const { engine, load, root } = controlled({ ...two, 'net/3/model.onnx': '' });
	await load('net', { config: '{"version_policy": {"specific": {"versions": [1]}}}' });
	engine.take();
	engine.broken.add(join(root, 'net/3'));
	await expect(load('net')).rejects.toThrow();
	expect(engine.take()).toEqual(['load net 3']);
	await load('net', { config: '{"version_policy": {"specific": {"versions": ["2"]}}}' });
	expect(engine.take()).toEqual(['load net 2', 'unload net 1']);
});

test('unknown models, bad configurations and missing versions are refused', async () => {
	const { control, load } = controlled(two);
	await expect(load('nothing')).rejects.toMatchObject({
		code: 'BUNDLE_MISSING_FILE',
		message: "failed to load 'nothing', failed to poll from model repository",
	});
	await expect(load('net', { config: '{' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	await expect(load('net', { config: '{"max_batch": 1}' })).rejects.toThrow(/max_batch/);
	await expect(load('net', { config: '{"version_policy": {"specific": {"versions": [7]}}}' })).rejects.toMatchObject({
		code: 'BUNDLE_MISSING_FILE',
		message: "at least one version must be available under the version policy of model 'net'",
	});
	await expect(load('book', { config: '{}' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	await expect(load('net', { files: { '1/model.onnx': new Uint8Array() } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	await control.unload('nothing', unload);
});

test.each(['watch', 'poll', 'none'] as const)('control %s loads and unloads for nobody', async (modelControl) => {
	const { control, load } = controlled(two, { modelControl });
	for (const call of [load('net'), control.unload('net', unload)])
		await expect(call).rejects.toMatchObject({
			code: 'NOT_ALLOWED',
			message: 'explicit model load / unload is not allowed if polling is enabled',
		});
});

test('a configuration takes the place of the file until the next load', async () => {
	const { control, engine, load, root } = controlled({ ...two, 'net/config.pbtxt': 'max_batch_size: 8' });
	const bound = () => (engine.manifests.get(join(root, 'net/2')) as { infer: { max_batch_size: number } }).infer.max_batch_size;
	await load('net', { config: '{"max_batch_size": "16", "parameters": {"a": {"string_value": "b"}}}' });
	expect(bound()).toBe(16);
	expect(control.config('net')).toMatchObject({ parameters: { a: { string_value: 'b' } } });
	await load('net');
	expect(bound()).toBe(8);
	expect(control.config('net')).toMatchObject({ parameters: {} });
});

test('files take the place of the folder, lie apart, and are gone afterwards', async () => {
	const { engine, index, load, root, repository } = controlled(two);
	const given = { '5/model.onnx': Buffer.from('five'), 'labels.txt': Buffer.from('one\ntwo') };
	const { load: original } = engine;
	let seen: unknown;
	engine.load = (path, manifest) => {
		seen = [readFileSync(join(path, 'model.onnx'), 'utf8'), readFileSync(join(path, '../labels.txt'), 'utf8'), path];
		return original.call(engine, path, manifest);
	};
	await load('fresh', { config: '{}', files: given });
	const [model, labels, path] = seen as [string, string, string];
	expect([model, labels]).toEqual(['five', 'one\ntwo']);
	expect(path.startsWith(root)).toBe(false);
	expect(existsSync(dirname(path))).toBe(false);
	expect(index(true)).toEqual([{ name: 'fresh', version: '5', state: 'READY' }]);
	// It lies in no repository, so no synchronisation misses it.
	await repository.syncOnRequest();
	expect(index(true)).toContainEqual({ name: 'fresh', version: '5', state: 'READY' });
});

test.each(['../evil', '/etc/passwd', '1/../../evil', '1//model.onnx', '', '.', 'a\0b', 'a\\b', 'a/b/c/d/e/f/g/h/i'])(
	'no file leaves its folder by the path %j',
	async (path) => {
		const { engine, load } = controlled(two);
		await expect(load('net', { config: '{}', files: { [path]: Buffer.from('x') } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		expect(engine.take()).toEqual([]);
	},
);

test('a path that is a file and a folder is refused', async () => {
	const { load } = controlled(two);
	const files = { '1': Buffer.from('x'), '1/model.onnx': Buffer.from('x') };
	await expect(load('net', { config: '{}', files })).rejects.toMatchObject({
		code: 'INVALID_ARGUMENT',
		message: expect.stringContaining('at once'),
	});
});

test('a configuration is told of versions that serve', async () => {
	const { control, load, repository, engine } = controlled(two);
	engine.info = { kind: 'model', maxBatchSize: 4, inputs: [{ name: 'A', datatype: 'INT64', shape: [-1, 3] }] };
	expect(() => control.config('net')).toThrow("Request for unknown model: 'net' is not found");
	await load('net');
	await repository.syncOnRequest();
	expect(control.config('net')).toEqual(control.config('net', '2'));
	expect(control.config('net')).toMatchObject({
		name: 'net',
		max_batch_size: 4,
		input: [{ name: 'A', data_type: 'TYPE_INT64', dims: [3] }],
	});
	expect(control.config('book')).toMatchObject({ name: 'book', parameters: { kind: { string_value: 'model' } } });
	await load('net', { config: '{"version_policy": {"all": {}}, "max_batch_size": 2}' });
	await repository.setAliases('net', { champion: '1' });
	expect(control.config('net', 'champion')).toEqual(control.config('net', '1'));
	expect(control.config('net')).toEqual(control.config('net', '1'));
	expect(() => control.config('net', '9')).toThrow("Request for unknown model: 'net' version 9 is not found");
	await control.unload('net', unload);
	expect(() => control.config('net')).toThrow("Request for unknown model: 'net' has no available versions");
});

test('a repository that cannot be read has no index', () => {
	const { root, index } = controlled(two);
	rmSync(root, { recursive: true });
	writeFileSync(root, '');
	expect(index).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }));
	expect(() => readdirSync(root)).toThrow();
});
