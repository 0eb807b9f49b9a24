/** What counts as a published model, and what is left alone. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scanRepositories } from '../../src/control/scan-repository.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const scan = (...roots: string[]) => scanRepositories(roots, { autoCompleteConfig: true, defaultMaxBatchSize: 4 });

test('versions with a manifest are found, oldest first, with their aliases', () => {
	const root = temporaryFolder({
		'films/1.10.0/manifest.json': '{}',
		'films/1.9.0/manifest.json': '{}',
		'films/aliases.json': '{"champion": "1.9.0"}',
	});
	const { models, problems } = scan(root);
	expect(problems).toEqual([]);
	expect(models).toMatchObject([{ name: 'films', layout: 'bundle', path: join(root, 'films'), aliases: { champion: '1.9.0' } }]);
	expect([...(models[0]?.folders ?? [])]).toEqual([
		['1.9.0', join(root, 'films/1.9.0')],
		['1.10.0', join(root, 'films/1.10.0')],
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
	expect(scan(root)).toEqual({ models: [], problems: [] });
});

test('an alias of a version that is not there is told, and kept as it is written', () => {
	const root = temporaryFolder({ 'films/1.0.0/manifest.json': '{}', 'films/aliases.json': '{"champion": "1.0.0", "challenger": "2.0.0"}' });
	const { models, problems } = scan(root);
	expect(models[0]?.aliases).toEqual({ champion: '1.0.0', challenger: '2.0.0' });
	expect(problems).toMatchObject([
		{
			path: join(root, 'films/aliases.json'),
			error: { code: 'UNKNOWN_VERSION', message: 'alias "challenger" names "2.0.0"; there are 1.0.0' },
		},
	]);
});

test.each(['{', '[]', '7', 'null', '"1.0.0"'])('aliases.json that reads %j is told, and the model serves without', (content) => {
	const root = temporaryFolder({ 'films/1.0.0/manifest.json': '{}', 'films/aliases.json': content });
	const { models, problems } = scan(root);
	expect(models[0]?.aliases).toBeUndefined();
	expect(problems).toMatchObject([{ error: { code: 'BUNDLE_INVALID', message: expect.stringContaining('{"champion": "1.0.0"}') } }]);
});

test('the first of two repositories with the same model serves it', () => {
	const first = temporaryFolder({ 'films/1.0.0/manifest.json': '{}' });
	const second = temporaryFolder({ 'films/2.0.0/manifest.json': '{}', 'books/1.0.0/manifest.json': '{}' });
	const { models, problems } = scan(first, second);
	expect(models.map(({ name, folders }) => [name, ...folders.keys()])).toEqual([
		['films', '1.0.0'],
		['books', '1.0.0'],
	]);
	expect(problems).toMatchObject([{ path: join(second, 'films'), error: { code: 'INVALID_CONFIG' } }]);
});

test('a repository that is not there is an error of the configuration', () => {
	expect(() => scan('/no/such/folder')).toThrow(
		expect.objectContaining({
			code: 'INVALID_CONFIG',
			message: expect.stringContaining('model_repository /no/such/folder cannot be read'),
		}),
	);
});

test('whole numbers are versions in the layout of Triton, and its other folders are not', () => {
	const folders = ['9', '10', '01', '0', '1.0', 'drafts', '-1', '.11'].map((version) => [`films/${version}/model.onnx`, '']);
	const root = temporaryFolder({ ...Object.fromEntries(folders), 'books/config.pbtxt': '', 'notes/texts/1.txt': '' });
	const { models, problems } = scan(root);
	expect(problems).toEqual([]);
	expect(models.map(({ name, layout, folders }) => [name, layout, ...folders.keys()])).toEqual([
		['books', 'triton'],
		['films', 'triton', '9', '10'],
	]);
});

test('both layouts lie in one repository, a model in one of them', () => {
	const root = temporaryFolder({ 'films/1/model.onnx': '', 'books/2.0.0/manifest.json': '{}', 'books/7/model.onnx': '' });
	expect(scan(root).models.map(({ name, layout, folders }) => [name, layout, ...folders.keys()])).toEqual([
		['books', 'bundle', '2.0.0'],
		['films', 'triton', '1'],
	]);
});
