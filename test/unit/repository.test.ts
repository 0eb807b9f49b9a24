/** What a synchronisation loads, keeps and unloads, and that what cannot be loaded leaves what serves as it is. */
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publish } from '../support/publish.js';
import { type Control, recordedRepository } from '../support/recorded-repository.js';

function newRepository(root?: string, modelControl?: Control) {
	const all = recordedRepository({ root, config: { modelControl } });
	return { ...all, setAliases: (aliases: string) => writeFileSync(join(all.root, 'films/aliases.json'), aliases) };
}

/** A repository whose `films` serves already. */
async function serving(...versions: string[]) {
	const all = newRepository();
	for (const version of versions) publish(all.root, 'films', version);
	await all.repository.sync();
	all.engine.take();
	return all;
}

const touch = (path: string) => utimesSync(path, new Date(), new Date(Date.now() + 5000));

test('versions with an alias and the highest one are loaded, then the aliases are set', async () => {
	const { root, engine, repository, setAliases } = newRepository();
	for (const version of ['1.0.0', '1.1.0', '1.2.0', '2.0.0']) publish(root, 'films', version);
	setAliases('{"champion": "1.1.0"}');
	const report = await repository.sync();
	expect(engine.take()).toEqual(['load films 1.1.0', 'load films 2.0.0', 'route films {"champion":"1.1.0"}']);
	expect(report).toMatchObject({ aliases: { films: { champion: '1.1.0' } }, unloaded: [], problems: [] });
	expect(report.loaded.map(({ version }) => version)).toEqual(['1.1.0', '2.0.0']);
});

test('an empty repository loads nothing and is no problem', async () => {
	expect(await newRepository().repository.sync()).toEqual({ loaded: [], unloaded: [], aliases: {}, problems: [], unsettled: [] });
});

test('nothing changed is nothing done', async () => {
	const { engine, repository } = await serving('1.0.0');
	await repository.sync();
	expect(engine.take()).toEqual([]);
});

test('a new version comes into service before the old one leaves it', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	publish(root, 'films', '1.1.0');
	const { unloaded } = await repository.sync();
	expect(engine.take()).toEqual(['load films 1.1.0', 'unload films 1.0.0']);
	expect(unloaded).toEqual([{ name: 'films', version: '1.0.0' }]);
});

test('an edited aliases.json moves the alias and loads what it names', async () => {
	const { root, engine, repository, setAliases } = await serving('1.0.0', '1.1.0');
	setAliases('{"champion": "1.0.0"}');
	await repository.sync();
	expect(engine.take()).toEqual(['load films 1.0.0', 'route films {"champion":"1.0.0"}']);
	rmSync(join(root, 'films/aliases.json'));
	await repository.sync();
	expect(engine.take()).toEqual(['route films {}', 'unload films 1.0.0']);
});

test('the same version is loaded again when it was replaced by rename, rewritten or touched', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	const folder = join(root, 'films/1.0.0');
	const changes = [
		() => touch(join(folder, 'manifest.json')),
		() => writeFileSync(join(folder, 'item.table'), 'new'),
		() => {
			renameSync(folder, join(root, 'films/.old'));
			publish(root, 'films', '1.0.0');
		},
	];
	for (const change of changes) {
		change();
		await repository.sync();
		expect(engine.take()).toEqual(['load films 1.0.0']);
	}
});

test('what is removed from the folder is unloaded, a version or a whole model', async () => {
	const { root, engine, repository } = await serving('1.0.0', '1.1.0');
	publish(root, 'books', '3.0.0');
	await repository.sync();
	engine.take();
	rmSync(join(root, 'films/1.1.0'), { recursive: true });
	rmSync(join(root, 'books'), { recursive: true });
	await repository.sync();
	expect(engine.take()).toEqual(['load films 1.0.0', 'unload films 1.1.0', 'unload books 3.0.0']);
});

test('a bundle that cannot be loaded leaves the old one serving, is told once, and is not tried again until it changes', async () => {
	const { root, engine, repository, lines } = await serving('1.0.0');
	const folder = publish(root, 'films', '2.0.0');
	engine.broken.add(folder);
	const problem = { path: folder, error: { code: 'BUNDLE_CHECKSUM_MISMATCH', message: 'item.ids: sha256 differs' } };
	for (const calls of [['load films 2.0.0'], []]) {
		expect((await repository.sync()).problems).toMatchObject([problem]);
		expect(engine.take()).toEqual(calls);
		expect(repository.problems).toMatchObject([problem]);
	}
	expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'BUNDLE_CHECKSUM_MISMATCH', path: folder }]);
	engine.broken.clear();
	touch(join(folder, 'manifest.json'));
	expect((await repository.sync()).problems).toEqual([]);
	expect(engine.take()).toEqual(['load films 2.0.0', 'unload films 1.0.0']);
	expect(repository.counts).toEqual({ loaded: 2, failed: 1, unloaded: 1 });
});

test('whoever asks has refused bundles tried again', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	engine.broken.add(publish(root, 'films', '2.0.0'));
	await repository.sync();
	engine.broken.clear();
	expect((await repository.syncOnRequest()).loaded).toMatchObject([{ version: '2.0.0' }]);
});

test('a version that was changed into something broken serves on as it was', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	const folder = join(root, 'films/1.0.0');
	engine.broken.add(folder);
	touch(join(folder, 'manifest.json'));
	expect((await repository.sync()).problems).toHaveLength(1);
	expect(engine.take()).toEqual(['load films 1.0.0']);
});

test('at the start the highest version that can be loaded serves', async () => {
	const { root, engine, repository } = newRepository();
	for (const version of ['1.0.0', '1.1.0', '2.0.0']) publish(root, 'films', version);
	engine.broken.add(join(root, 'films/2.0.0'));
	const { loaded, problems } = await repository.sync();
	expect(loaded).toMatchObject([{ version: '1.1.0' }]);
	expect(problems).toMatchObject([{ path: join(root, 'films/2.0.0') }]);
});

test('an alias moved to a version that cannot be loaded, or is not there, stays where it was', async () => {
	const { root, engine, repository, setAliases } = await serving('1.0.0', '1.1.0');
	setAliases('{"champion": "1.0.0"}');
	await repository.sync();
	engine.take();
	engine.broken.add(publish(root, 'films', '2.0.0'));
	for (const aliases of ['{"champion": "2.0.0"}', '{"champion": "3.0.0"}', '{"champion": 2}', 'broken']) {
		setAliases(aliases);
		expect((await repository.sync()).problems.length).toBeGreaterThan(0);
	}
	expect(engine.take()).toEqual(['load films 2.0.0']);
});

test('a model whose only folder was replaced by a broken one serves on', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	rmSync(join(root, 'films/1.0.0'), { recursive: true });
	engine.broken.add(publish(root, 'films', '1.1.0'));
	await repository.sync();
	expect(engine.take()).toEqual(['load films 1.1.0']);
});

test('a folder that holds another version than its name says is refused before it replaces anything', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	const folder = publish(root, 'films', '1.1.0');
	writeFileSync(join(folder, 'manifest.json'), '{"name": "films", "version": "1.0.0"}');
	expect((await repository.sync()).problems).toMatchObject([
		{ error: { code: 'BUNDLE_INVALID', message: 'manifest.json is of films 1.0.0, but its folder is that of films 1.1.0' } },
	]);
	expect(engine.take()).toEqual([]);
});

test('a repository that cannot be read changes nothing and is told', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	renameSync(root, `${root}-away`);
	await expect(repository.sync()).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
	expect(repository.problems).toMatchObject([{ path: root, error: { code: 'INVALID_CONFIG' } }]);
	renameSync(`${root}-away`, root);
	expect(await repository.sync()).toEqual({ loaded: [], unloaded: [], aliases: {}, problems: [], unsettled: [] });
	expect(engine.take()).toEqual([]);
});

test('calls that come while a synchronisation runs share the next one', async () => {
	const { root, engine, repository } = newRepository();
	publish(root, 'films', '1.0.0');
	engine.isSlow = true;
	const first = repository.sync();
	await Promise.resolve();
	const [second, third] = [repository.sync(), repository.sync()];
	expect(second).toBe(third);
	publish(root, 'films', '1.1.0');
	expect((await second).loaded.length + (await first).loaded.length).toBe(2);
});

test('problems are told to who listens, when they come and when they go', async () => {
	const { root, engine, repository } = await serving('1.0.0');
	const told: number[] = [];
	repository.onProblems((problems) => told.push(problems.length));
	const folder = publish(root, 'films', '2.0.0');
	engine.broken.add(folder);
	await repository.sync();
	await repository.sync();
	rmSync(folder, { recursive: true });
	await repository.sync();
	expect(told).toEqual([1, 0]);
});

test('once closed nothing begins', async () => {
	const { engine, repository } = await serving('1.0.0');
	repository.close();
	await expect(repository.syncOnRequest()).rejects.toMatchObject({ code: 'DRAINING' });
	expect(engine.take()).toEqual([]);
});

test('explicit control loads, unloads and routes what it is told to', async () => {
	const { root, engine, repository } = newRepository(undefined, 'explicit');
	for (const version of ['1.0.0', '1.1.0']) publish(root, 'films', version);
	expect(await repository.load('films')).toMatchObject({ version: '1.1.0' });
	expect(await repository.load('films', '1.0.0')).toMatchObject({ version: '1.0.0' });
	await repository.setAliases('films', { champion: '1.0.0' });
	await repository.unload('films', '1.1.0');
	expect(engine.take()).toEqual(['load films 1.1.0', 'load films 1.0.0', 'route films {"champion":"1.0.0"}', 'unload films 1.1.0']);
	await expect(repository.load('films', '9.0.0')).rejects.toMatchObject({
		code: 'UNKNOWN_VERSION',
		message: 'the repository has no version "9.0.0" of "films"; there are 1.0.0, 1.1.0',
	});
	await expect(repository.load('books')).rejects.toMatchObject({
		code: 'UNKNOWN_MODEL',
		message: 'the repository has no model "books"; there are: films',
	});
	// Synchronising means what a restart would mean.
	await repository.syncOnRequest();
	expect(engine.take()).toEqual(['load films 1.1.0', 'route films {}', 'unload films 1.0.0']);
});

test.each(['watch', 'poll', 'none'] as const)('under control %s the folder decides', async (control) => {
	const { repository } = newRepository(undefined, control);
	for (const call of [repository.load('films'), repository.unload('films', '1.0.0'), repository.setAliases('films', {})])
		await expect(call).rejects.toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining(`model_control is ${control}`) });
	const sync = repository.syncOnRequest();
	if (control === 'none') await expect(sync).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
	else await expect(sync).resolves.toMatchObject({ loaded: [] });
});
