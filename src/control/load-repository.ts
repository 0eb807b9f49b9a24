/** Puts the published models into service: which versions are loaded, what their aliases are, and what did not work. */
import { EngineError } from '../errors.js';
import type { ModelInfo } from '../native/addon.js';
import { type Problem, type PublishedModel, scanRepositories } from './scan-repository.js';
import { highestVersion } from './versions.js';

/** What this layer asks of the engine; a test gives it a fake. */
export interface ModelEngine {
	load(path: string): Promise<ModelInfo>;
	route(name: string, aliases: Record<string, string>): void;
}

export interface LoadReport {
	loaded: ModelInfo[];
	/** Bundles and aliases that do not serve; the others do. */
	problems: Problem[];
}

/** @throws EngineError `INVALID_CONFIG` when a repository's folder cannot be read */
export async function loadRepositories(engine: ModelEngine, repositories: readonly string[]): Promise<LoadReport> {
	const { models, problems } = scanRepositories(repositories);
	const report: LoadReport = { loaded: [], problems };
	for (const model of models) await loadModel(engine, model, report);
	return report;
}

async function loadModel(engine: ModelEngine, model: PublishedModel, report: LoadReport): Promise<void> {
	const versions = new Set<string>();
	for (const version of versionsToLoad(model)) {
		const path = model.folders.get(version) as string;
		try {
			report.loaded.push(await engine.load(path));
			versions.add(version);
		} catch (thrown) {
			report.problems.push({ path, error: EngineError.from(thrown) });
		}
	}
	// Without a champion the engine itself takes the highest version that is ready.
	const aliases = Object.entries(model.aliases).filter(([, version]) => versions.has(version));
	if (aliases.length > 0) engine.route(model.name, Object.fromEntries(aliases));
}

/** Every version with an alias, and the highest; each costs memory, so the rest stays on disk. */
export function versionsToLoad({ folders, aliases }: PublishedModel): string[] {
	const highest = highestVersion([...folders.keys()]);
	return [...folders.keys()].filter((version) => version === highest || Object.values(aliases).includes(version));
}
