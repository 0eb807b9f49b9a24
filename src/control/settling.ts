/** Whether a model's folder has been copied to its end: it has when two looks see the same. */
import { fingerprintOf } from './fingerprint.js';
import type { PublishedModel } from './published-model.js';

export class Settling {
	/** Fingerprint of all that a model has, by its path, as it was last seen. */
	readonly #seen = new Map<string, string>();
	#isFirst = true;

	/** @returns whether the model's files are as they were at the look before; at the first look of all there is nothing to compare with */
	has({ path, folders }: PublishedModel): boolean {
		const now = [path, ...folders.values()].map((folder) => fingerprintOf(folder)).join('\n');
		const isSame = this.#isFirst || this.#seen.get(path) === now;
		this.#seen.set(path, now);
		return isSame;
	}

	/** Ends a look. @param paths what is still there */
	end(paths: ReadonlySet<string>): void {
		this.#isFirst = false;
		for (const path of this.#seen.keys()) if (!paths.has(path)) this.#seen.delete(path);
	}
}
