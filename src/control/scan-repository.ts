/** Reads what the model repository's folders hold, in our layout and in Triton's; a model has one of them. */
import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../errors.js';
import { readAliases } from './aliases.js';
import { BundleModel, type Problem, type PublishedModel } from './published-model.js';
import { configFile, TritonModel, type TritonOptions } from './triton/triton-model.js';
import { compareVersions, isBundleVersion, isTritonVersion, isVersion } from './versions.js';

export interface Scan {
	models: PublishedModel[];
	problems: Problem[];
}

/**
 * Hidden folders and names that are no version are not ours: a bundle is copied beside its place and renamed into it.
 * @throws EngineError `INVALID_CONFIG` when a folder cannot be read
 */
export function scanRepositories(repositories: readonly string[], options: TritonOptions): Scan {
	const scan: Scan = { models: [], problems: [] };
	for (const repository of repositories) {
		for (const name of foldersIn(repository)) addModel(scan, resolve(repository, name), name, options);
	}
	return scan;
}

/** Every folder in which something may appear or change that a scan would see. @throws EngineError `INVALID_CONFIG` */
export function foldersOf(repositories: readonly string[]): string[] {
	const models = repositories.flatMap((repository) => foldersIn(repository).map((name) => resolve(repository, name)));
	const versions = models.flatMap((model) =>
		foldersIn(model)
			.filter(isVersion)
			.map((version) => join(model, version)),
	);
	return [...repositories.map((repository) => resolve(repository)), ...models, ...versions];
}

/** The versions of a folder in Triton's layout, oldest first. @throws EngineError `INVALID_CONFIG` when it cannot be read */
export const tritonVersionsIn = (path: string): string[] => foldersIn(path).filter(isTritonVersion).sort(compareVersions);

function addModel(scan: Scan, path: string, name: string, options: TritonOptions): void {
	const bundles = foldersIn(path).filter((version) => isBundleVersion(version) && existsSync(join(path, version, 'manifest.json')));
	const versions = bundles.length > 0 ? bundles.sort(compareVersions) : tritonVersionsIn(path);
	if (versions.length === 0 && !existsSync(join(path, configFile))) return;
	const elsewhere = scan.models.find((model) => model.name === name);
	if (elsewhere) {
		const message = `model "${name}" stands in two repositories; ${elsewhere.path} serves`;
		scan.problems.push({ path, error: new EngineError('INVALID_CONFIG', message) });
		return;
	}
	const aliases = readAliases(path, versions, scan.problems);
	scan.models.push(
		bundles.length > 0 ? new BundleModel({ name, path, versions, aliases }) : new TritonModel({ name, path, versions, aliases, options }),
	);
}

function foldersIn(path: string): string[] {
	try {
		const entries = readdirSync(path, { withFileTypes: true });
		const isFolder = (entry: Dirent) => entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(join(path, entry.name)));
		return entries
			.filter((entry) => !entry.name.startsWith('.') && isFolder(entry))
			.map((entry) => entry.name)
			.sort();
	} catch (cause) {
		throw new EngineError('INVALID_CONFIG', `model_repository ${path} cannot be read: ${(cause as Error).message}`, { cause });
	}
}

const leadsToFolder = (link: string): boolean => statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false;
