/** A model in Triton's layout: `<name>/[config.pbtxt] <version>/model.onnx`, versions are whole numbers. */
import { type Dirent, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.js';
import { fingerprintOf } from '../fingerprint.js';
import { type Aliases, foldersOfVersions, type LoadSource, type PublishedModel, type VersionPolicy } from '../published-model.js';
import { isTritonVersion } from '../versions.js';
import { readConfigJson } from './config-json.js';
import { readConfigText } from './config-text.js';
import { inferManifest } from './infer-manifest.js';
import type { ModelConfig } from './model-config.js';
import { refuseUnsupported, remarksOn } from './unsupported.js';
import { versionPolicy } from './version-policy.js';

/** What the server decides for every model in this layout. */
export interface TritonOptions {
	autoCompleteConfig: boolean;
	/** Rows of a run where a configuration says nothing and the graph can batch. */
	defaultMaxBatchSize: number;
}

interface TritonModelOptions {
	name: string;
	path: string;
	/** Oldest first. */
	versions: readonly string[];
	aliases: Aliases | undefined;
	options: TritonOptions;
	/** JSON in place of `config.pbtxt`. */
	override?: string | undefined;
}

export const configFile = 'config.pbtxt';

export class TritonModel implements PublishedModel {
	readonly name: string;
	readonly path: string;
	readonly folders: ReadonlyMap<string, string>;
	readonly aliases: Aliases | undefined;
	readonly layout = 'triton';
	readonly #options: TritonOptions;
	readonly #override: string | undefined;
	#config: ModelConfig | undefined;

	constructor({ name, path, versions, aliases, options, override }: TritonModelOptions) {
		this.name = name;
		this.path = path;
		this.folders = foldersOfVersions(path, versions);
		this.aliases = aliases;
		this.#options = options;
		this.#override = override;
	}

	policy(): VersionPolicy {
		return versionPolicy(this.#readConfig());
	}

	/** Labels and warm-up data lie beside the versions, so whatever is no version counts with each; aliases decide no load. */
	fingerprint(version: string): string {
		const shared = fingerprintOf(this.path, ({ name }: Dirent) => !isTritonVersion(name) && name !== 'aliases.json');
		return `${shared}\n${fingerprintOf(join(this.path, version))}`;
	}

	source(version: string): LoadSource {
		const config = this.#readConfig();
		const { autoCompleteConfig: autoComplete, defaultMaxBatchSize } = this.#options;
		const manifest = inferManifest({ config, folder: this.path, name: this.name, version, defaultMaxBatchSize, autoComplete });
		return { path: join(this.path, version), manifest, config, remarks: remarksOn(config) };
	}

	#readConfig(): ModelConfig {
		this.#config ??= this.#checked();
		return this.#config;
	}

	#checked(): ModelConfig {
		try {
			const config = this.#override === undefined ? this.#readFile() : readConfigJson(this.#override);
			if (config.name && config.name !== this.name)
				throw new EngineError('BUNDLE_INVALID', `name is "${config.name}", but its folder is "${this.name}"`);
			refuseUnsupported(config);
			return config;
		} catch (thrown) {
			const { code, message, cause } = EngineError.from(thrown);
			throw new EngineError(code, this.#override === undefined ? `${configFile}: ${message}` : message, { cause });
		}
	}

	#readFile(): ModelConfig {
		const path = join(this.path, configFile);
		if (existsSync(path)) return readConfigText(readFileSync(path, 'utf8'));
		if (this.#options.autoCompleteConfig) return {};
		throw new EngineError('BUNDLE_INVALID', 'it is missing, and auto_complete_config is false');
	}
}
