/** What the engine serves of the repository: loads, unloads and sets aliases, and keeps account of it. */
import type { Logger } from '../log.js';
import type { ModelInfo } from '../native/addon.js';
import type { Aliases, PublishedModel } from './published-model.js';
import type { ModelConfig } from './triton/model-config.js';
import { VersionStates } from './version-states.js';

/** What this layer asks of the engine; a test gives it a fake. */
export interface ModelEngine {
	/** A version that serves already is replaced at once, and kept when the new one cannot be loaded. */
	load(path: string, manifest?: string): Promise<ModelInfo>;
	unload(name: string, version: string): Promise<void>;
	route(name: string, aliases: Aliases): void;
}

export type ReloadOutcome = 'loaded' | 'failed' | 'unloaded';

export interface ServedVersion {
	/** Of what was loaded. */
	fingerprint: string;
	info: ModelInfo;
	/** As it was loaded; undefined for a bundle. */
	config: ModelConfig | undefined;
}

interface ServedModel {
	versions: Map<string, ServedVersion>;
	aliases: Aliases;
}

export class ServedModels {
	readonly #engine: ModelEngine;
	readonly #log: Logger;
	readonly #models = new Map<string, ServedModel>();
	readonly states = new VersionStates();
	/** Versions by what became of them, since the start. */
	readonly counts: Record<ReloadOutcome, number> = { loaded: 0, failed: 0, unloaded: 0 };

	constructor(engine: ModelEngine, log: Logger) {
		this.#engine = engine;
		this.#log = log;
	}

	get names(): string[] {
		return [...this.#models.keys()];
	}

	/** By version; empty for a model that does not serve. */
	versions(name: string): ReadonlyMap<string, ServedVersion> {
		return this.#models.get(name)?.versions ?? new Map();
	}

	aliases(name: string): Aliases {
		return this.#models.get(name)?.aliases ?? {};
	}

	/** What serves under this version goes on until the new one is ready, and stays when it cannot be loaded. @throws EngineError `BUNDLE_…` */
	async load(model: PublishedModel, version: string, fingerprint: string): Promise<ModelInfo> {
		const { name } = model;
		const isServed = this.versions(name).has(version);
		if (!isServed) this.states.set(name, version, 'LOADING');
		try {
			const { path, manifest, config, remarks = [] } = model.source(version);
			const info = await this.#engine.load(path, manifest);
			this.#keep(name, version, { fingerprint, info, config });
			for (const remark of remarks) this.#log.warn({ model: name, version }, remark);
			return info;
		} catch (thrown) {
			this.counts.failed++;
			if (!isServed) this.states.set(name, version, 'UNAVAILABLE', (thrown as Error).message);
			throw thrown;
		}
	}

	#keep(name: string, version: string, served: ServedVersion): void {
		const model = this.#models.get(name) ?? { versions: new Map<string, ServedVersion>(), aliases: {} };
		model.versions.set(version, served);
		this.#models.set(name, model);
		this.states.set(name, version, 'READY');
		this.counts.loaded++;
		const { kind, items, loadMs, precomputedBytes } = served.info;
		this.#log.info({ model: name, version, kind, items, load_ms: loadMs, precomputed_bytes: precomputedBytes }, 'model loaded');
	}

	/** @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	route(name: string, aliases: Aliases): void {
		this.#engine.route(name, aliases);
		const model = this.#models.get(name);
		if (model !== undefined) model.aliases = aliases;
		this.#log.debug({ model: name, aliases }, 'aliases set');
	}

	/** @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	async unload(name: string, version: string): Promise<void> {
		const isServed = this.versions(name).has(version);
		if (isServed) this.states.set(name, version, 'UNLOADING');
		await this.#engine.unload(name, version);
		this.counts.unloaded++;
		this.states.set(name, version, 'UNAVAILABLE', 'unloaded');
		this.#log.info({ model: name, version }, 'model unloaded');
		this.#forget(name, version);
	}

	#forget(name: string, version: string): void {
		const model = this.#models.get(name);
		model?.versions.delete(version);
		if (model === undefined || model.versions.size === 0) this.#models.delete(name);
		else model.aliases = Object.fromEntries(Object.entries(model.aliases).filter(([, target]) => target !== version));
	}
}
