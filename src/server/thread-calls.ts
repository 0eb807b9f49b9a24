/** What the main thread and an I/O thread ask of each other, and what a thread is born with. */
import type { Config } from '../config/keys.js';

/** Answered by an I/O thread. A type, because an interface is no `Calls`. */
export type ThreadCalls = {
	/** @throws EngineError `INVALID_CONFIG` */
	listen(where: { host: string; port: number; unixSocket: string | undefined; problem: string | undefined }): Promise<void>;
	/** @returns whether everything was answered within the time */
	drain(timeoutMs: number): Promise<boolean>;
	/** The thread ends after this. */
	close(): void;
};

/** Answered by the main thread. */
export type MainCalls = {
	/** One scrape of the whole process. */
	metrics(): Promise<string>;
};

export interface ThreadData {
	engineId: number;
	config: Config;
	thread: number;
	/** Rows of all I/O threads, and one more of the main thread. */
	rows: SharedArrayBuffer;
}
