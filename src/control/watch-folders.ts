/** Asks the kernel to tell when something in a set of folders appears, changes or goes. */
import { type FSWatcher, statSync, watch } from 'node:fs';

interface Watched {
	watcher: FSWatcher;
	/** A folder that was replaced by another of its name needs a new watch. */
	inode: number;
}

export class FolderWatch {
	readonly #watched = new Map<string, Watched>();
	readonly #onChange: () => void;
	readonly #onFailure: (cause: Error) => void;

	/** @param onFailure the kernel has no more watches to give: this object is of no more use */
	constructor(onChange: () => void, onFailure: (cause: Error) => void) {
		this.#onChange = onChange;
		this.#onFailure = onFailure;
	}

	get size(): number {
		return this.#watched.size;
	}

	/** From now on these folders and no others. */
	watch(folders: readonly string[]): void {
		const wanted = new Set(folders);
		for (const folder of this.#watched.keys()) if (!wanted.has(folder)) this.#forget(folder);
		for (const folder of wanted) this.#add(folder);
	}

	close(): void {
		for (const folder of [...this.#watched.keys()]) this.#forget(folder);
	}

	#add(folder: string): void {
		const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
		const known = this.#watched.get(folder);
		if (known?.inode === inode) return;
		this.#forget(folder);
		if (inode === undefined) return;
		try {
			// It must not keep a process alive that has nothing else to do.
			const watcher = watch(folder, { persistent: false }, this.#onChange);
			watcher.on('error', (cause) => this.fail(cause, folder));
			this.#watched.set(folder, { watcher, inode });
		} catch (cause) {
			this.fail(cause as NodeJS.ErrnoException, folder);
		}
	}

	/** The kernel refuses; a folder that has gone meanwhile is its parent's news. */
	fail(cause: NodeJS.ErrnoException, folder = ''): void {
		this.#forget(folder);
		if (cause.code !== 'ENOENT') this.#onFailure(cause);
	}

	#forget(folder: string): void {
		this.#watched.get(folder)?.watcher.close();
		this.#watched.delete(folder);
	}
}
