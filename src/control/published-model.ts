/** One model as a repository publishes it, whatever the layout of its folder. */
import { join } from 'node:path';
import type { EngineError } from '../errors.js';
import { checkIdentity, fingerprintOf } from './fingerprint.js';
import type { ModelConfig } from './triton/model-config.js';

/** Version by alias, `{champion: '1.0.0'}`. */
export type Aliases = Readonly<Record<string, string>>;

/** What does not serve as it is published. */
export interface Problem {
	path: string;
	error: EngineError;
}

/** Which versions serve beside those with an alias: the newest ones that can be loaded, or these. */
export type VersionPolicy = { newest: number } | { only: readonly string[] };

/** How the engine is to load a version. */
export interface LoadSource {
	path: string;
	/** In place of the folder's own. */
	manifest?: string;
	/** What the manifest was made of. */
	config?: ModelConfig;
	/** What of the configuration has no effect here, one sentence each. */
	remarks?: readonly string[];
}

export interface PublishedModel {
	readonly name: string;
	/** Its folder. */
	readonly path: string;
	/** Folder by version, oldest first. */
	readonly folders: ReadonlyMap<string, string>;
	/** As written, also where they name a version that is not there; undefined when the file cannot be read. */
	readonly aliases: Aliases | undefined;
	/** A bundle appears whole, by rename; what is in Triton's layout may be seen half copied. */
	readonly layout: 'bundle' | 'triton';
	/** @throws EngineError `BUNDLE_INVALID` when the model's configuration cannot be read */
	policy(): VersionPolicy;
	/** Changes with whatever a load of this version reads. */
	fingerprint(version: string): string;
	/** @throws EngineError `BUNDLE_INVALID` */
	source(version: string): LoadSource;
}

/** In our layout: `<name>/<major.minor.patch>/manifest.json`. */
export class BundleModel implements PublishedModel {
	readonly name: string;
	readonly path: string;
	readonly folders: ReadonlyMap<string, string>;
	readonly aliases: Aliases | undefined;
	readonly layout = 'bundle';

	/** @param versions oldest first */
	constructor({
		name,
		path,
		versions,
		aliases,
	}: { name: string; path: string; versions: readonly string[]; aliases: Aliases | undefined }) {
		this.name = name;
		this.path = path;
		this.folders = foldersOfVersions(path, versions);
		this.aliases = aliases;
	}

	policy(): VersionPolicy {
		return { newest: 1 };
	}

	fingerprint(version: string): string {
		return fingerprintOf(join(this.path, version));
	}

	source(version: string): LoadSource {
		const path = join(this.path, version);
		checkIdentity(path, this.name, version);
		return { path };
	}
}

export const foldersOfVersions = (path: string, versions: readonly string[]): Map<string, string> =>
	new Map(versions.map((version) => [version, join(path, version)]));
