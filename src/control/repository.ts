/** Keeps the engine at what the model repository says; what cannot be loaded leaves what serves as it is. */
import { sep } from 'node:path';
import type { Config } from '../config/keys.js';
import { EngineError } from '../errors.js';
import type { Logger } from '../log.js';
import type { ModelInfo } from '../native/addon.js';
import { ProblemLog } from './problem-log.js';
import type { Aliases, Problem, PublishedModel } from './published-model.js';
import { type Scan, scanRepositories } from './scan-repository.js';
import { type ModelEngine, type ReloadOutcome, ServedModels } from './served-models.js';
import { Settling } from './settling.js';
import { type Changes, noChanges, Synchroniser } from './synchroniser.js';
import { Turns } from './turns.js';
import { highestVersion } from './versions.js';

export type { ModelEngine } from './served-models.js';

export type RepositoryConfig = Pick<
	Config,
	'modelRepository' | 'modelControl' | 'loadModel' | 'autoCompleteConfig' | 'defaultMaxBatchSize'
>;

export interface RepositoryOptions {
	engine: ModelEngine;
	config: RepositoryConfig;
	log: Logger;
}

/** What one synchronisation changed, and what does not serve after it. */
export interface SyncReport extends Changes {
	/** Versions and aliases that do not serve as they are published; the others do. */
	problems: readonly Problem[];
	/** Folders that somebody seems to be writing: they want another look. */
	unsettled: readonly string[];
}

export class Repository {
	readonly #config: RepositoryConfig;
	readonly #problems: ProblemLog;
	readonly #served: ServedModels;
	readonly #synchroniser: Synchroniser;
	readonly #settling = new Settling();
	readonly #turns = new Turns();
	/** Models that were loaded by name: with explicit control, those that a synchronisation looks at. */
	readonly #chosen: Set<string>;
	/** Models that were loaded with a configuration or files of the caller's: no synchronisation looks at them. */
	readonly #overridden = new Set<string>();
	#nextSync: Promise<SyncReport> | undefined;

	constructor({ engine, config, log }: RepositoryOptions) {
		this.#config = config;
		this.#problems = new ProblemLog(log);
		this.#served = new ServedModels(engine, log);
		this.#synchroniser = new Synchroniser(this.#served);
		this.#chosen = new Set(config.loadModel);
	}

	/** Whether models are loaded and unloaded by whoever asks. */
	get isExplicit(): boolean {
		return this.#config.modelControl === 'explicit';
	}

	/** What serves, and what became of the rest. */
	get served(): Pick<ServedModels, 'names' | 'versions' | 'aliases' | 'states'> {
		return this.#served;
	}

	/** Versions by what became of them, since the start. */
	get counts(): Readonly<Record<ReloadOutcome, number>> {
		return this.#served.counts;
	}

	/** What does not serve as it is published. */
	get problems(): readonly Problem[] {
		return this.#problems.current;
	}

	/** Called whenever `problems` have changed. */
	onProblems(listener: (problems: readonly Problem[]) => void): void {
		this.#problems.onChange = listener;
	}

	/** What lies in the folders now. @throws EngineError `INVALID_CONFIG` when one cannot be read */
	scan(): Scan {
		return scanRepositories(this.#config.modelRepository, this.#config);
	}

	/**
	 * Loads what is new or changed, sets aliases, unloads what has gone. One at a time: calls that come while one waits share it.
	 * @throws EngineError `INVALID_CONFIG` when a folder of the repository cannot be read; nothing changes then
	 */
	sync(): Promise<SyncReport> {
		this.#nextSync ??= this.#turns.take(async () => {
			this.#nextSync = undefined;
			return this.#sync((model) => model.layout === 'bundle' || this.#settling.has(model));
		});
		return this.#nextSync;
	}

	/** As `sync`, for somebody who asks: what was refused before is tried again, and nothing waits to settle. @throws EngineError `NOT_ALLOWED` as well */
	syncOnRequest(): Promise<SyncReport> {
		if (this.#config.modelControl === 'none')
			return Promise.reject(notAllowed('model_control is none: models stay as they were at the start'));
		return this.#turns.take(() => {
			this.#synchroniser.forgetRefusals();
			return this.#sync(() => true);
		});
	}

	/** Loads a version, by default the highest, also when it serves already. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` | `BUNDLE_…` */
	load(name: string, version?: string): Promise<ModelInfo> {
		return this.#whenExplicit(async () => {
			const model = this.#published(name);
			const { folders } = model;
			const wanted = version ?? highestVersion([...folders.keys()]);
			if (wanted === undefined || !folders.has(wanted)) {
				const message = `the repository has no version "${wanted}" of "${name}"; there are ${[...folders.keys()].join(', ')}`;
				throw new EngineError('UNKNOWN_VERSION', message);
			}
			const info = await this.#synchroniser.load(model, wanted);
			this.#chosen.add(name);
			return info;
		});
	}

	/** Loads what policy and aliases name of a model, also what serves already. @throws EngineError `BUNDLE_…` | `NOT_ALLOWED` */
	reload(find: () => PublishedModel, { isOverride }: { isOverride: boolean }): Promise<void> {
		return this.#whenExplicit(async () => {
			const model = find();
			await this.#tryFor(model, () => this.#synchroniser.reload(model));
			this.#chosen.add(model.name);
			if (isOverride) this.#overridden.add(model.name);
			else this.#overridden.delete(model.name);
		});
	}

	/** Takes a version out of service, with its aliases. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` | `NOT_ALLOWED` */
	unload(name: string, version: string): Promise<void> {
		return this.#whenExplicit(() => this.#served.unload(name, version));
	}

	/** Takes all versions of a model out of service, if there are any. @throws EngineError `NOT_ALLOWED` */
	unloadAll(name: string): Promise<void> {
		return this.#whenExplicit(async () => {
			this.#chosen.delete(name);
			this.#overridden.delete(name);
			await this.#synchroniser.unloadAllBut(name, new Set());
		});
	}

	/** Replaces a model's aliases until they are read from the repository again. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` | `NOT_ALLOWED` */
	setAliases(name: string, aliases: Aliases): Promise<void> {
		return this.#whenExplicit(async () => this.#served.route(name, aliases));
	}

	/** Nothing begins any more; what fails from now on is not told, because the engine closes. */
	close(): void {
		this.#turns.close();
	}

	#whenExplicit<T>(work: () => Promise<T>): Promise<T> {
		const control = this.#config.modelControl;
		if (control !== 'explicit')
			return Promise.reject(notAllowed(`model_control is ${control}: the repository's folder decides what serves`));
		return this.#turns.take(work);
	}

	async #sync(isSettled: (model: PublishedModel) => boolean): Promise<SyncReport> {
		const changes = noChanges();
		const [found, unsettled]: [Problem[], string[]] = [[], []];
		try {
			const { models, problems } = this.scan();
			found.push(...problems, ...this.#missing(models));
			for (const model of models.filter((model) => this.#isFollowed(model)))
				if (!(await this.#follow(model, isSettled, changes, found))) unsettled.push(model.path);
			this.#settling.end(new Set(models.map(({ path }) => path)));
			await this.#unloadWhatHasGone(new Set(models.map(({ name }) => name)), changes);
		} catch (thrown) {
			found.push({ path: this.#config.modelRepository.join(':'), error: EngineError.from(thrown) });
			throw thrown;
		} finally {
			if (!this.#turns.isClosed) this.#problems.replace(found);
		}
		return { ...changes, problems: found, unsettled };
	}

	/** With explicit control, bundles need no choosing as long as nobody chooses: they have always served from the start. */
	#isFollowed({ name, layout }: PublishedModel): boolean {
		if (!this.isExplicit) return true;
		if (this.#overridden.has(name)) return false;
		return this.#chosen.has('*') || this.#chosen.has(name) || (layout === 'bundle' && this.#config.loadModel.length === 0);
	}

	#missing(models: readonly PublishedModel[]): Problem[] {
		if (!this.isExplicit) return [];
		const missing = this.#config.loadModel.filter((name) => name !== '*' && !models.some((model) => model.name === name));
		return missing.map((name) => ({
			path: this.#config.modelRepository.join(':'),
			error: new EngineError('UNKNOWN_MODEL', cannotBeFound(name)),
		}));
	}

	/** @returns false for a model that somebody seems to be writing: it stays as it is, with its problems */
	async #follow(
		model: PublishedModel,
		isSettled: (model: PublishedModel) => boolean,
		changes: Changes,
		found: Problem[],
	): Promise<boolean> {
		try {
			if (!isSettled(model)) {
				const isOfModel = ({ path }: Problem) => path === model.path || path.startsWith(model.path + sep);
				found.push(...this.problems.filter((problem) => isOfModel(problem) && !found.some(({ path }) => path === problem.path)));
				return false;
			}
			await this.#tryFor(model, () => this.#synchroniser.follow(model, changes, found));
			return true;
		} catch (thrown) {
			found.push({ path: model.path, error: EngineError.from(thrown) });
			return true;
		}
	}

	async #tryFor({ name }: PublishedModel, work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (thrown) {
			this.#served.states.failed(name, (thrown as Error).message);
			throw thrown;
		}
	}

	async #unloadWhatHasGone(published: ReadonlySet<string>, changes: Changes): Promise<void> {
		const gone = (name: string) => !published.has(name) && !this.#overridden.has(name);
		for (const name of this.#served.names.filter(gone)) await this.#synchroniser.unloadAllBut(name, new Set(), changes);
		for (const name of this.#served.states.names.filter(gone)) this.#served.states.forget(name);
	}

	#published(name: string): PublishedModel {
		const { models } = this.scan();
		const model = models.find((each) => each.name === name);
		if (model) return model;
		const names = models.map((each) => each.name).join(', ') || 'none';
		throw new EngineError('UNKNOWN_MODEL', `the repository has no model "${name}"; there are: ${names}`);
	}
}

/** In the words of Triton. */
export const cannotBeFound = (name: string): string => `failed to load '${name}', failed to poll from model repository`;

const notAllowed = (why: string) => new EngineError('NOT_ALLOWED', why);
