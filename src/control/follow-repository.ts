/** Synchronises when the repository's folder changes: told by the kernel, or by looking every so often. */
import type { Config } from '../config/keys.js';
import type { Logger } from '../log.js';
import type { Repository } from './repository.js';
import { foldersOf } from './scan-repository.js';
import { FolderWatch } from './watch-folders.js';

/** What somebody seems to be writing is looked at again after this. */
const SETTLE_MS = 1000;

/** A change is seldom alone: the folder has to be quiet for so long, or has been busy for so long, before anybody looks. */
const QUIET_MS = 100;
const BUSY_MS = 2000;

export interface FollowOptions {
	repository: Pick<Repository, 'sync'>;
	config: Pick<Config, 'modelRepository' | 'modelControl' | 'pollIntervalS'>;
	log: Logger;
}

/** @returns what ends it */
export function followRepository(options: FollowOptions): () => void {
	const { modelControl } = options.config;
	if (modelControl !== 'watch' && modelControl !== 'poll') return () => {};
	const follower = new Follower(options);
	follower.start(modelControl === 'watch');
	return () => follower.stop();
}

class Follower {
	readonly #repository: FollowOptions['repository'];
	readonly #folders: readonly string[];
	readonly #intervalMs: number;
	readonly #log: Logger;
	#watch: FolderWatch | undefined;
	#timer: NodeJS.Timeout | undefined;
	#busySince: number | undefined;
	#isStopped = false;

	constructor({ repository, config, log }: FollowOptions) {
		this.#repository = repository;
		this.#folders = config.modelRepository;
		this.#intervalMs = config.pollIntervalS * 1000;
		this.#log = log;
	}

	start(isWatching: boolean): void {
		const fallBack = (cause: Error) => {
			this.#watch?.close();
			this.#watch = undefined;
			const interval = this.#intervalMs / 1000;
			this.#log.warn({ err: cause }, `the repository cannot be watched, so it is looked at every ${interval} s`);
		};
		if (isWatching) this.#watch = new FolderWatch(() => this.#onChange(), fallBack);
		// What changed between the first synchronisation and the first watch is seen by this look.
		this.#lookAfter(0);
	}

	stop(): void {
		this.#isStopped = true;
		clearTimeout(this.#timer);
		this.#watch?.close();
	}

	#onChange(): void {
		const now = performance.now();
		this.#busySince ??= now;
		this.#lookAfter(Math.min(QUIET_MS, Math.max(0, this.#busySince + BUSY_MS - now)));
	}

	#lookAfter(delayMs: number): void {
		if (this.#isStopped) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#look(), delayMs).unref();
	}

	async #look(): Promise<void> {
		this.#busySince = undefined;
		this.#lookAfter(this.#intervalMs);
		try {
			// Watches come first: what appears after them is told, what was there before is seen.
			this.#watch?.watch(foldersOf(this.#folders));
		} catch {
			// The synchronisation meets the same folder and says what is wrong with it.
		}
		try {
			const { unsettled } = await this.#repository.sync();
			if (unsettled.length > 0) this.#lookAfter(Math.min(SETTLE_MS, this.#intervalMs));
		} catch {
			// The repository has told it, and the next look may find it well.
		}
	}
}
