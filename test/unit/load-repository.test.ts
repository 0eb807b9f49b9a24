/** Which versions go into service, and that one bad bundle does not keep the others out. */
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRepositories, type ModelEngine, versionsToLoad } from '../../src/control/load-repository.js';
import type { ModelInfo } from '../../src/native/addon.js';
import { fakeModel } from '../support/fake-engine.js';
import { temporaryFolder } from '../support/temporary-folder.js';

class RecordingEngine implements ModelEngine {
	readonly routes: [string, Record<string, string>][] = [];
	readonly broken = new Set<string>();

	async load(path: string): Promise<ModelInfo> {
		if (this.broken.has(path)) throw Object.assign(new Error('item.ids: sha256 differs'), { code: 'BUNDLE_CHECKSUM_MISMATCH' });
		return { ...fakeModel, name: basename(dirname(path)), version: basename(path) };
	}

	route(name: string, aliases: Record<string, string>): void {
		this.routes.push([name, aliases]);
	}
}

const manifests = (...versions: string[]) => Object.fromEntries(versions.map((version) => [`films/${version}/manifest.json`, '{}']));

test('versions with an alias and the highest one are loaded', () => {
	const folders = new Map(['1.0.0', '1.1.0', '1.2.0', '2.0.0'].map((version) => [version, `/films/${version}`]));
	expect(versionsToLoad({ name: 'films', folders, aliases: { champion: '1.1.0' } })).toEqual(['1.1.0', '2.0.0']);
	expect(versionsToLoad({ name: 'films', folders, aliases: {} })).toEqual(['2.0.0']);
});

test('aliases are set once the versions serve', async () => {
	const engine = new RecordingEngine();
	const root = temporaryFolder({ ...manifests('1.0.0', '2.0.0'), 'films/aliases.json': '{"champion": "1.0.0"}' });
	const { loaded, problems } = await loadRepositories(engine, [root]);
	expect(loaded.map(({ version }) => version)).toEqual(['1.0.0', '2.0.0']);
	expect(engine.routes).toEqual([['films', { champion: '1.0.0' }]]);
	expect(problems).toEqual([]);
});

test('without aliases the engine chooses', async () => {
	const engine = new RecordingEngine();
	await loadRepositories(engine, [temporaryFolder(manifests('1.0.0'))]);
	expect(engine.routes).toEqual([]);
});

test('a bundle that cannot be loaded is told with its path, and its alias is not set', async () => {
	const engine = new RecordingEngine();
	const root = temporaryFolder({ ...manifests('1.0.0', '2.0.0'), 'films/aliases.json': '{"champion": "2.0.0", "last": "1.0.0"}' });
	engine.broken.add(join(root, 'films/2.0.0'));
	const { loaded, problems } = await loadRepositories(engine, [root]);
	expect(loaded.map(({ version }) => version)).toEqual(['1.0.0']);
	expect(engine.routes).toEqual([['films', { last: '1.0.0' }]]);
	expect(problems).toMatchObject([
		{ path: join(root, 'films/2.0.0'), error: { code: 'BUNDLE_CHECKSUM_MISMATCH', message: 'item.ids: sha256 differs' } },
	]);
});

test('an empty repository loads nothing and is no problem', async () => {
	expect(await loadRepositories(new RecordingEngine(), [temporaryFolder()])).toEqual({ loaded: [], problems: [] });
});
