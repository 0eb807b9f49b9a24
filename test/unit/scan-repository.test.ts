/** What counts as a published model, and what is left alone. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scanRepositories } from '../../src/control/scan-repository.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('versions with a manifest are found, oldest first, with their aliases', () => {
	const root = temporaryFolder({
		'films/1.10.0/manifest.json': '{}',
		'films/1.9.0/manifest.json': '{}',
		'films/aliases.json': '{"champion": "1.9.0"}',
	});
	const { models, problems } = scanRepositories([root]);
	expect(problems).toEqual([]);
	expect(models).toEqual([
		{
			name: 'films',
			folders: new Map([
				['1.9.0', join(root, 'films/1.9.0')],
				['1.10.0', join(root, 'films/1.10.0')],
			]),
			aliases: { champion: '1.9.0' },
		},
	]);
});

test('half-copied, hidden and foreign folders are left alone', () => {
	const root = temporaryFolder({
		'films/.1.0.0.part/manifest.json': '{}',
		'films/1.0.0.tmp/manifest.json': '{}',
		'films/1.0.0/model.onnx': '',
		'.git/1.0.0/manifest.json': '{}',
		'notes/': '',
		'README.md': '',
	});
	expect(scanRepositories([root])).toEqual({ models: [], problems: [] });
});

test('an alias of a version that is not there is told and dropped', () => {
	const root = temporaryFolder({ 'films/1.0.0/manifest.json': '{}', 'films/aliases.json': '{"champion": "1.0.0", "challenger": "2.0.0"}' });
	const { models, problems } = scanRepositories([root]);
	expect(models[0]?.aliases).toEqual({ champion: '1.0.0' });
	expect(problems).toMatchObject([
		{
			path: join(root, 'films/aliases.json'),
			error: { code: 'UNKNOWN_VERSION', message: 'alias "challenger" names "2.0.0"; there are 1.0.0' },
		},
	]);
});

test.each(['{', '[]', '7', 'null', '"1.0.0"'])('aliases.json that reads %j is told, and the model serves without', (content) => {
	const root = temporaryFolder({ 'films/1.0.0/manifest.json': '{}', 'films/aliases.json': content });
	const { models, problems } = scanRepositories([root]);
	expect(models[0]?.aliases).toEqual({});
	expect(problems).toMatchObject([{ error: { code: 'BUNDLE_INVALID', message: expect.stringContaining('{"champion": "1.0.0"}') } }]);
});

test('the first of two repositories with the same model serves it', () => {
	const first = temporaryFolder({ 'films/1.0.0/manifest.json': '{}' });
	const second = temporaryFolder({ 'films/2.0.0/manifest.json': '{}', 'books/1.0.0/manifest.json': '{}' });
	const { models, problems } = scanRepositories([first, second]);
	expect(models.map(({ name, folders }) => [name, ...folders.keys()])).toEqual([
		['films', '1.0.0'],
		['books', '1.0.0'],
	]);
	expect(problems).toMatchObject([{ path: join(second, 'films'), error: { code: 'INVALID_CONFIG' } }]);
});

test('a repository that is not there is an error of the configuration', () => {
	expect(() => scanRepositories(['/no/such/folder'])).toThrow(
		expect.objectContaining({
			code: 'INVALID_CONFIG',
			message: expect.stringContaining('model_repository /no/such/folder cannot be read'),
		}),
	);
});
