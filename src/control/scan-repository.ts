/** Reads what the model repository's folders hold: `<name>/<version>/manifest.json` and `<name>/aliases.json`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../errors.js';
import { compareVersions, isVersion } from './versions.js';

export interface PublishedModel {
	name: string;
	/** Folder by version, oldest first. */
	folders: Map<string, string>;
	aliases: Record<string, string>;
}

export interface Problem {
	path: string;
	error: EngineError;
}

export interface Scan {
	models: PublishedModel[];
	problems: Problem[];
}

/** Hidden folders and names that are no version are not ours: a bundle is copied beside its place and renamed into it. */
export function scanRepositories(repositories: readonly string[]): Scan {
	const scan: Scan = { models: [], problems: [] };
	for (const repository of repositories) {
		for (const name of foldersIn(repository)) addModel(scan, resolve(repository, name), name);
	}
	return scan;
}

function addModel(scan: Scan, path: string, name: string): void {
	const versions = foldersIn(path).filter((version) => isVersion(version) && existsSync(join(path, version, 'manifest.json')));
	if (versions.length === 0) return;
	const elsewhere = scan.models.find((model) => model.name === name);
	if (elsewhere) {
		const [first] = elsewhere.folders.values();
		scan.problems.push({ path, error: new EngineError('INVALID_CONFIG', `model "${name}" stands in two repositories; ${first} serves`) });
		return;
	}
	const folders = new Map(versions.sort(compareVersions).map((version) => [version, join(path, version)]));
	scan.models.push({ name, folders, aliases: readAliases(scan, join(path, 'aliases.json'), folders) });
}

function readAliases(scan: Scan, path: string, folders: ReadonlyMap<string, string>): Record<string, string> {
	const aliases: Record<string, string> = {};
	for (const [alias, version] of Object.entries(parseAliases(scan, path))) {
		if (typeof version === 'string' && folders.has(version)) {
			aliases[alias] = version;
			continue;
		}
		const message = `alias "${alias}" names ${JSON.stringify(version)}; there are ${[...folders.keys()].join(', ')}`;
		scan.problems.push({ path, error: new EngineError('UNKNOWN_VERSION', message) });
	}
	return aliases;
}

function parseAliases(scan: Scan, path: string): object {
	if (!existsSync(path)) return {};
	try {
		const aliases: unknown = JSON.parse(readFileSync(path, 'utf8'));
		if (typeof aliases === 'object' && aliases !== null && !Array.isArray(aliases)) return aliases;
		throw new TypeError('it holds something else');
	} catch (cause) {
		const message = `aliases.json must be a map such as {"champion": "1.0.0"}: ${(cause as Error).message}`;
		scan.problems.push({ path, error: new EngineError('BUNDLE_INVALID', message, { cause }) });
		return {};
	}
}

function foldersIn(path: string): string[] {
	try {
		const entries = readdirSync(path, { withFileTypes: true });
		return entries
			.filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
			.map((entry) => entry.name)
			.sort();
	} catch (cause) {
		throw new EngineError('INVALID_CONFIG', `model_repository ${path} cannot be read: ${(cause as Error).message}`, { cause });
	}
}
