/** Brings what serves of one model to what its folder says; what cannot be loaded leaves what serves as it is. */
import { EngineError } from '../errors.js';
import type { ModelInfo } from '../native/addon.js';
import type { Aliases, Problem, PublishedModel } from './published-model.js';
import type { ServedModels } from './served-models.js';
import { aliasesToSet, type Candidates, candidatesOf, sameAliases, versionsToKeep } from './wanted-versions.js';

export interface Changes {
	loaded: ModelInfo[];
	unloaded: { name: string; version: string }[];
	/** By model, where they changed. */
	aliases: Record<string, Aliases>;
}

export const noChanges = (): Changes => ({ loaded: [], unloaded: [], aliases: {} });

/** A version that could not be loaded is left alone until its files change or somebody asks. */
interface Refusal extends Problem {
	fingerprint: string;
}

export class Synchroniser {
	readonly #served: ServedModels;
	readonly #refusals = new Map<string, Refusal>();

	constructor(served: ServedModels) {
		this.#served = served;
	}

	/** What was refused is tried again. */
	forgetRefusals(): void {
		this.#refusals.clear();
	}

	/** New versions come into service before old ones leave it: two versions of one model at a time have to fit the memory. */
	async follow(model: PublishedModel, changes: Changes, problems: Problem[]): Promise<void> {
		const { name, folders } = model;
		const candidates = candidatesOf(model.policy(), folders.keys());
		const aliased = Object.values(model.aliases ?? this.#served.aliases(name)).filter((version) => folders.has(version));
		for (const version of new Set(aliased)) await this.#serve(model, version, changes, problems);
		let left = candidates.count;
		for (const version of candidates.versions) if (left > 0 && (await this.#serve(model, version, changes, problems))) left--;
		await this.#finish(model, candidates, changes);
	}

	/**
	 * Loads all that policy and aliases name, whatever serves already; nothing leaves service unless all of it could be loaded.
	 * @throws EngineError `BUNDLE_…`
	 */
	async reload(model: PublishedModel): Promise<void> {
		const changes = noChanges();
		const { name, folders } = model;
		const candidates = candidatesOf(model.policy(), folders.keys());
		const aliased = Object.values(model.aliases ?? {}).filter((version) => folders.has(version));
		const wanted = new Set([...aliased, ...candidates.versions.slice(0, candidates.count)]);
		if (wanted.size === 0)
			throw new EngineError('BUNDLE_MISSING_FILE', `at least one version must be available under the version policy of model '${name}'`);
		for (const version of wanted) await this.#load(model, version, model.fingerprint(version), changes);
		await this.#finish(model, candidates, changes);
	}

	/** Loads one version, also when it serves already. @throws EngineError `BUNDLE_…` */
	load(model: PublishedModel, version: string): Promise<ModelInfo> {
		return this.#load(model, version, model.fingerprint(version), noChanges());
	}

	async unloadAllBut(name: string, keep: ReadonlySet<string>, changes = noChanges()): Promise<void> {
		const versions = [...this.#served.versions(name).keys()];
		for (const version of versions.filter((version) => !keep.has(version))) {
			await this.#served.unload(name, version);
			changes.unloaded.push({ name, version });
		}
	}

	async #finish({ name, aliases: published }: PublishedModel, candidates: Candidates, changes: Changes): Promise<void> {
		const ready = new Set(this.#served.versions(name).keys());
		if (ready.size === 0) return;
		const before = this.#served.aliases(name);
		const aliases = aliasesToSet(published ?? before, before, ready);
		if (!sameAliases(aliases, before)) {
			this.#served.route(name, aliases);
			changes.aliases[name] = aliases;
		}
		await this.unloadAllBut(name, versionsToKeep(aliases, candidates, ready), changes);
	}

	/** @returns whether the version serves, if only with its former files */
	async #serve(model: PublishedModel, version: string, changes: Changes, problems: Problem[]): Promise<boolean> {
		const path = model.folders.get(version) as string;
		const fingerprint = model.fingerprint(version);
		if (this.#served.versions(model.name).get(version)?.fingerprint === fingerprint) return true;
		if (this.#refusals.get(path)?.fingerprint !== fingerprint) {
			try {
				await this.#load(model, version, fingerprint, changes);
				return true;
			} catch (thrown) {
				this.#refusals.set(path, { path, fingerprint, error: EngineError.from(thrown) });
			}
		}
		const { error } = this.#refusals.get(path) as Refusal;
		if (!problems.some((problem) => problem.path === path)) problems.push({ path, error });
		return this.#served.versions(model.name).has(version);
	}

	async #load(model: PublishedModel, version: string, fingerprint: string, changes: Changes): Promise<ModelInfo> {
		const info = await this.#served.load(model, version, fingerprint);
		this.#refusals.delete(model.folders.get(version) as string);
		changes.loaded.push(info);
		return info;
	}
}
