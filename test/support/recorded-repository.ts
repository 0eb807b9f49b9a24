/** A repository over an engine that loads nothing and writes down what it was asked. */
import { basename, dirname } from 'node:path';
import { type ModelEngine, Repository, type RepositoryConfig } from '../../src/control/repository.js';
import type { ModelInfo } from '../../src/native/addon.js';
import { fakeModel } from './fake-engine.js';
import { memoryLog } from './memory-log.js';
import { temporaryFolder } from './temporary-folder.js';

export class RecordingEngine implements ModelEngine {
	/** What was asked for, in order: `load films 1.0.0`. */
	readonly calls: string[] = [];
	/** The last manifest given for a folder. */
	readonly manifests = new Map<string, unknown>();
	/** Folders that cannot be loaded. */
	readonly broken = new Set<string>();
	isSlow = false;
	/** What a load tells of every model. */
	info: Partial<ModelInfo> = {};

	async load(path: string, manifest?: string): Promise<ModelInfo> {
		const given = manifest === undefined ? undefined : (JSON.parse(manifest) as { name: string; version: string });
		const { name, version } = given ?? { name: basename(dirname(path)), version: basename(path) };
		this.calls.push(`load ${name} ${version}`);
		this.manifests.set(path, given);
		if (this.isSlow) await new Promise((resolve) => setTimeout(resolve, 1));
		if (this.broken.has(path)) throw Object.assign(new Error('item.ids: sha256 differs'), { code: 'BUNDLE_CHECKSUM_MISMATCH' });
		return { ...fakeModel, ...this.info, name, version };
	}

	async unload(name: string, version: string): Promise<void> {
		this.calls.push(`unload ${name} ${version}`);
	}

	route(name: string, aliases: Record<string, string>): void {
		this.calls.push(`route ${name} ${JSON.stringify(aliases)}`);
	}

	/** What was asked for since the last look. */
	take(): string[] {
		return this.calls.splice(0);
	}
}

export type Control = RepositoryConfig['modelControl'];

interface Options {
	root?: string | undefined;
	config?: { [Key in keyof RepositoryConfig]?: RepositoryConfig[Key] | undefined };
}

export function recordedRepository({ root = temporaryFolder(), config: given = {} }: Options = {}) {
	const engine = new RecordingEngine();
	const { log, lines } = memoryLog();
	const config: RepositoryConfig = {
		modelRepository: given.modelRepository ?? [root],
		modelControl: given.modelControl ?? 'watch',
		loadModel: given.loadModel ?? [],
		autoCompleteConfig: given.autoCompleteConfig ?? true,
		defaultMaxBatchSize: given.defaultMaxBatchSize ?? 4,
	};
	return { root, engine, lines, config, repository: new Repository({ engine, config, log }) };
}
