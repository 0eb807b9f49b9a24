/** What became of every version that anybody tried to serve: what the protocol's index tells. */
import type { ModelState } from './oip-repository.js';
import { compareVersions } from './versions.js';

export interface VersionState {
	/** Empty where it is the whole model that cannot be served. */
	version: string;
	state: ModelState;
	/** Why it is not ready; empty where there is nothing to tell. */
	reason: string;
}

export class VersionStates {
	readonly #models = new Map<string, Map<string, VersionState>>();

	get names(): string[] {
		return [...this.#models.keys()];
	}

	/** Oldest version first; empty for a model that nobody tried to serve. */
	of(name: string): VersionState[] {
		return [...(this.#models.get(name)?.values() ?? [])].sort((a, b) => compareVersions(a.version, b.version));
	}

	set(name: string, version: string, state: ModelState, reason = ''): void {
		const versions = this.#models.get(name) ?? new Map<string, VersionState>();
		versions.delete('');
		this.#models.set(name, versions.set(version, { version, state, reason }));
	}

	/** What serves of the model goes on; without any, the index tells why. */
	failed(name: string, reason: string): void {
		if (!this.of(name).some(({ state }) => state === 'READY')) this.set(name, '', 'UNAVAILABLE', reason);
	}

	forget(name: string): void {
		this.#models.delete(name);
	}
}
