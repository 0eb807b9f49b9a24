/** Models in Triton's layout: which versions serve, and that nothing half copied is loaded. */
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Control, recordedRepository } from '../support/recorded-repository.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A repository whose model `net` has these versions and this configuration. */
function netOf(versions: readonly string[], config?: string, modelControl: Control = 'watch') {
	const files = versions.map((version) => [`net/${version}/model.onnx`, '']);
	const root = temporaryFolder({ ...Object.fromEntries(files), ...(config === undefined ? {} : { 'net/config.pbtxt': config }) });
	const all = recordedRepository({ root, config: { modelControl } });
	const add = (path: string, content = '') => {
		mkdirSync(join(root, path, '..'), { recursive: true });
		writeFileSync(join(root, path), content);
	};
	/** Twice: what changed has to be seen unchanged. */
	const settle = async () => {
		await all.repository.sync();
		return all.repository.sync();
	};
	return { ...all, add, settle };
}

test.each([
	[undefined, ['10']],
	['version_policy { latest { } }', ['10']],
	['version_policy { latest { num_versions: 2 } }', ['10', '9']],
	['version_policy { all { } }', ['10', '9', '1']],
	['version_policy { specific { versions: [ 1, 9 ] } }', ['9', '1']],
])('%s serves %j', async (config, versions) => {
	const { engine, repository } = netOf(['1', '9', '10'], config);
	const { problems } = await repository.sync();
	expect(problems).toEqual([]);
	expect(engine.take()).toEqual(versions.map((version) => `load net ${version}`));
});

test('a version that is not there is not missed as long as another is', async () => {
	const { engine, repository } = netOf(['1'], 'version_policy { specific { versions: [ 1, 7 ] } }');
	await repository.sync();
	expect(engine.take()).toEqual(['load net 1']);
});

test('aliases name versions here too', async () => {
	const { engine, repository, add } = netOf(['1', '2', '3']);
	add('net/aliases.json', '{"champion": "1"}');
	await repository.sync();
	expect(engine.take()).toEqual(['load net 1', 'load net 3', 'route net {"champion":"1"}']);
});

test('what is new is loaded when two looks see the same, and bundles do not wait for it', async () => {
	const { root, engine, repository, add } = netOf(['1']);
	await repository.sync();
	engine.take();
	add('net/2/model.onnx', 'half');
	add('books/1.0.0/manifest.json', '{"name": "books", "version": "1.0.0"}');
	expect((await repository.sync()).unsettled).toEqual([join(root, 'net')]);
	expect(engine.take()).toEqual(['load books 1.0.0']);
	add('net/2/model.onnx', 'half and whole');
	expect((await repository.sync()).unsettled).toEqual([join(root, 'net')]);
	expect(engine.take()).toEqual([]);
	expect((await repository.sync()).unsettled).toEqual([]);
	expect(engine.take()).toEqual(['load net 2', 'unload net 1']);
});

test('whoever asks does not wait', async () => {
	const { engine, repository, add } = netOf(['1']);
	await repository.sync();
	add('net/2/model.onnx');
	expect((await repository.syncOnRequest()).unsettled).toEqual([]);
	expect(engine.take()).toEqual(['load net 1', 'load net 2', 'unload net 1']);
});

test('a changed configuration, label or version loads again what it concerns', async () => {
	const { root, engine, settle, repository, add } = netOf(['1', '2'], 'version_policy { all { } }');
	await repository.sync();
	engine.take();
	for (const path of ['net/config.pbtxt', 'net/labels.txt', 'net/warmup/data']) {
		add(path, 'version_policy { all { } }');
		await settle();
		expect(engine.take(), path).toEqual(['load net 2', 'load net 1']);
	}
	utimesSync(join(root, 'net/1/model.onnx'), new Date(), new Date(0));
	await settle();
	expect(engine.take()).toEqual(['load net 1']);
	add('net/aliases.json', '{"old": "1"}');
	await settle();
	expect(engine.take()).toEqual(['route net {"old":"1"}']);
	await settle();
	expect(engine.take()).toEqual([]);
});

test('a configuration that cannot be read is told with its line, and what serves goes on', async () => {
	const { root, engine, repository, settle, add } = netOf(['1'], 'max_batch_size: 8');
	await repository.sync();
	engine.take();
	add('net/config.pbtxt', 'max_batch_size: 8\nmax_batch: 9');
	expect((await settle()).problems).toMatchObject([
		{ path: join(root, 'net'), error: { code: 'BUNDLE_INVALID', message: 'config.pbtxt: line 2: ModelConfig has no field "max_batch".' } },
	]);
	expect(engine.take()).toEqual([]);
	expect(repository.served.states.of('net')).toMatchObject([{ version: '1', state: 'READY' }]);
	add('net/config.pbtxt', 'max_batch_size: 16');
	expect((await repository.sync()).problems, 'until it has settled').toHaveLength(1);
	expect((await repository.sync()).problems).toEqual([]);
	expect(engine.take()).toEqual(['load net 1']);
});

test.each([
	['name: "other"', 'config.pbtxt: name is "other", but its folder is "net"'],
	['ensemble_scheduling { }', 'config.pbtxt: ensemble_scheduling is not supported: ensembles are not served'],
])('%s is refused', async (config, message) => {
	const { engine, repository } = netOf(['1'], config);
	expect((await repository.sync()).problems).toMatchObject([{ error: { code: 'BUNDLE_INVALID', message } }]);
	expect(engine.take()).toEqual([]);
});

test('without auto-completion a model needs a configuration', async () => {
	const root = temporaryFolder({ 'net/1/model.onnx': '' });
	const { repository } = recordedRepository({ root, config: { autoCompleteConfig: false } });
	expect((await repository.sync()).problems).toMatchObject([
		{ error: { message: 'config.pbtxt: it is missing, and auto_complete_config is false' } },
	]);
});

test('a version that cannot be loaded leaves the place to the one before it', async () => {
	const { root, engine, repository } = netOf(['1', '2']);
	engine.broken.add(join(root, 'net/2'));
	const { problems } = await repository.sync();
	expect(problems).toMatchObject([{ path: join(root, 'net/2') }]);
	expect(engine.take()).toEqual(['load net 2', 'load net 1']);
	expect(repository.served.states.of('net')).toEqual([
		{ version: '1', state: 'READY', reason: '' },
		{ version: '2', state: 'UNAVAILABLE', reason: 'item.ids: sha256 differs' },
	]);
});

test('a model that has gone is unloaded and forgotten', async () => {
	const { root, engine, repository } = netOf(['1']);
	await repository.sync();
	engine.take();
	rmSync(join(root, 'net'), { recursive: true });
	await repository.sync();
	expect(engine.take()).toEqual(['unload net 1']);
	expect(repository.served.states.names).toEqual([]);
});

test('a folder replaced by rename is seen', async () => {
	const { root, engine, repository, settle, add } = netOf(['1']);
	await repository.sync();
	engine.take();
	add('.new/1/model.onnx');
	renameSync(join(root, 'net'), join(root, '.old'));
	renameSync(join(root, '.new'), join(root, 'net'));
	await settle();
	expect(engine.take()).toEqual(['load net 1']);
});

test('a version that is a link is followed to where it leads', async () => {
	const { root, engine, repository, settle } = netOf(['1']);
	const elsewhere = temporaryFolder({ 'model.onnx': '' });
	symlinkSync(elsewhere, join(root, 'net/2'));
	await repository.sync();
	expect(engine.take()).toEqual(['load net 2']);
	writeFileSync(join(elsewhere, 'model.onnx'), 'another');
	await settle();
	expect(engine.take()).toEqual(['load net 2']);
});

test('the engine gets the manifest of the configuration, and what has no effect is logged', async () => {
	const { root, engine, repository, lines } = netOf(['1'], 'max_batch_size: 8 instance_group { kind: KIND_GPU }');
	await repository.sync();
	expect(engine.manifests.get(join(root, 'net/1'))).toMatchObject({
		name: 'net',
		version: '1',
		infer: { max_batch_size: 8, preferred_max: 4 },
	});
	expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
		{ model: 'net', version: '1', msg: 'instance_group.kind is not supported: it runs on the CPU' },
	]);
});
