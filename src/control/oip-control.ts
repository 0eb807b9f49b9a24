/** The repository as the Open Inference Protocol's clients see it: index, configurations, load and unload by name. */
import { EngineError } from '../errors.js';
import type { IndexEntry, LoadParameters, OipRepository } from './oip-repository.js';
import { withOverrideFolder } from './override-folder.js';
import type { PublishedModel } from './published-model.js';
import { cannotBeFound, type Repository } from './repository.js';
import { tritonVersionsIn } from './scan-repository.js';
import { completeConfig } from './triton/complete-config.js';
import { configJson } from './triton/model-config.js';
import { TritonModel, type TritonOptions } from './triton/triton-model.js';
import { highestVersion } from './versions.js';

/** What a name alone means where a model has it; else the highest version is meant. */
const DEFAULT_ALIAS = 'champion';

export class OipControl implements OipRepository {
	readonly #repository: Repository;
	readonly #options: TritonOptions;

	constructor(repository: Repository, options: TritonOptions) {
		this.#repository = repository;
		this.#options = options;
	}

	/** @throws EngineError `INVALID_CONFIG` when the repository cannot be read */
	index({ ready }: { ready: boolean }): IndexEntry[] {
		const { states } = this.#repository.served;
		const names = new Set([...this.#repository.scan().models.map(({ name }) => name), ...states.names]);
		const all = [...names].sort().flatMap((name) => this.#entries(name));
		return ready ? all.filter(({ state }) => state === 'READY') : all;
	}

	#entries(name: string): IndexEntry[] {
		const known = this.#repository.served.states.of(name);
		if (known.length === 0) return [{ name }];
		return known.map(({ version, state, reason }) => ({ name, ...(version && { version }), state, ...(reason && { reason }) }));
	}

	/** @throws EngineError `NOT_ALLOWED` | `INVALID_ARGUMENT` | `BUNDLE_…` */
	async load(name: string, { config, files }: LoadParameters): Promise<void> {
		this.#checkAllowed();
		if (Object.keys(files).length === 0)
			return this.#repository.reload(() => this.#find(name, config), { isOverride: config !== undefined });
		if (config === undefined) throw new EngineError('INVALID_ARGUMENT', "failed to load: files need the parameter 'config' beside them");
		await withOverrideFolder(files, (folder) =>
			this.#repository.reload(() => this.#overridden(name, folder, config), { isOverride: true }),
		);
	}

	/** @throws EngineError `NOT_ALLOWED`; a model that does not serve is no error */
	async unload(name: string, _: { unloadDependents: boolean }): Promise<void> {
		this.#checkAllowed();
		await this.#repository.unloadAll(name);
	}

	/** @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	config(name: string, version?: string): object {
		const { served: models } = this.#repository;
		const versions = models.versions(name);
		const aliases = models.aliases(name);
		const wanted = version ?? aliases[DEFAULT_ALIAS] ?? highestVersion([...versions.keys()]) ?? '';
		const served = versions.get(aliases[wanted] ?? wanted);
		if (served !== undefined) return configJson(completeConfig(served.config, served.info));
		if (versions.size > 0) throw new EngineError('UNKNOWN_VERSION', `Request for unknown model: '${name}' version ${version} is not found`);
		const why = models.states.of(name).length > 0 ? 'has no available versions' : 'is not found';
		throw new EngineError('UNKNOWN_MODEL', `Request for unknown model: '${name}' ${why}`);
	}

	#checkAllowed(): void {
		if (this.#repository.isExplicit) return;
		throw new EngineError('NOT_ALLOWED', 'explicit model load / unload is not allowed if polling is enabled');
	}

	#find(name: string, config: string | undefined): PublishedModel {
		const model = this.#repository.scan().models.find((each) => each.name === name);
		if (model === undefined) throw new EngineError('BUNDLE_MISSING_FILE', cannotBeFound(name));
		if (config === undefined) return model;
		if (model.layout === 'triton') return this.#overridden(name, model.path, config);
		throw new EngineError('INVALID_ARGUMENT', `failed to load '${name}': a bundle has a manifest and takes no configuration`);
	}

	#overridden(name: string, path: string, override: string): TritonModel {
		return new TritonModel({ name, path, versions: tritonVersionsIn(path), aliases: undefined, options: this.#options, override });
	}
}
