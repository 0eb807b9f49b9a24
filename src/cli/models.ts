/** `rankd models`: what a server has in service, or what a repository's folder holds. */
import { Command } from 'commander';
import { scanRepositories } from '../control/scan-repository.js';
import { EngineError } from '../errors.js';
import { type Cell, table } from './table.js';

interface ModelsOptions {
	url: string;
	modelRepository?: string[];
	json?: boolean;
}

interface Row {
	name: string;
	version: string;
	aliases: string[];
	[detail: string]: unknown;
}

export function modelsCommand(): Command {
	return new Command('models')
		.description('list the models that a server serves, or that a folder holds')
		.option('--url <url>', 'the server to ask', 'http://127.0.0.1:8000')
		.option('--model-repository <folder...>', 'look into folders instead of asking a server')
		.option('--json', 'one JSON object instead of a table')
		.action(async (options: ModelsOptions) => {
			const models = options.modelRepository ? published(options.modelRepository) : await served(options.url);
			console.log(options.json ? JSON.stringify({ models }) : asTable(models));
		});
}

async function served(url: string): Promise<Row[]> {
	const response = await fetch(new URL('/v1/models', url)).catch((cause: Error) => {
		throw new EngineError('CONNECTION_LOST', `no server answers at ${url}; start one with rankd serve`, { cause });
	});
	if (!response.ok) throw new EngineError('CONNECTION_LOST', `${url} answered ${response.status}, so it is no rankd server`);
	return ((await response.json()) as { models: Row[] }).models;
}

function published(folders: readonly string[]): Row[] {
	const { models, problems } = scanRepositories(folders, { autoCompleteConfig: true, defaultMaxBatchSize: 0 });
	for (const { path, error } of problems) console.error(`${path}: ${error.message}`);
	return models.flatMap(({ name, folders, aliases = {} }) =>
		[...folders].map(([version, path]) => {
			const names = Object.keys(aliases).filter((alias) => aliases[alias] === version);
			return { name, version, aliases: names, path };
		}),
	);
}

function asTable(models: readonly Row[]): string {
	if (models.length === 0) return 'no models';
	const details = ['kind', 'items', 'users', 'path'].filter((detail) => models.some((model) => detail in model));
	const rows = models.map((model) => [
		model.name,
		model.version,
		model.aliases.join(', '),
		...details.map((detail) => (model[detail] ?? '') as Cell),
	]);
	return table(['name', 'version', 'aliases', ...details], rows);
}
