/** What the main thread and a thread that serves ask of each other, and what such a thread is born with. */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/keys.js';
import type { IndexEntry, LoadParameters } from '../control/oip-repository.js';
import type { LogChanges, LogSettings } from './oip/log-settings.js';
import type { ProblemBody } from './problem-body.js';
import type { ThreadLink } from './thread-link.js';
import type { EndCalls } from './worker-thread.js';

/** Where an app is to listen; either may be missing. */
export interface ListenPlaces {
	host: string;
	port: number | undefined;
	unixSocket: string | undefined;
}

/** What every thread that serves is told. A type, because an interface is no `Calls`. */
export type NewsCalls = EndCalls & {
	/** What of the repository does not serve from now on. */
	tell(problems: readonly ProblemBody[]): void;
	setLogging(settings: LogSettings): void;
};

/** Answered by an I/O thread. */
export type ThreadCalls = NewsCalls & {
	/** @throws EngineError `INVALID_CONFIG` */
	listen(where: ListenPlaces): Promise<void>;
};

/** Answered by the main thread: what belongs to the whole process. */
export type MainCalls = {
	/** One scrape. */
	metrics(): Promise<string>;
	/** The repository's, as `OipRepository` has them. */
	index(options: { ready: boolean }): IndexEntry[];
	load(model: { name: string; parameters: LoadParameters }): Promise<void>;
	/** The same for the body of an HTTP call: a large one is not to hold up a thread that serves. */
	loadJson(model: { name: string; body: Uint8Array }): Promise<void>;
	unload(model: { name: string; unloadDependents: boolean }): Promise<void>;
	config(model: { name: string; version?: string | undefined }): object;
	/** @returns what holds on every thread then. @throws EngineError `UNSUPPORTED_FEATURE` */
	changeLogging(changes: LogChanges): Promise<LogSettings>;
};

/** A thread's way to ask the main thread. */
export type AskMain = ThreadLink<MainCalls>['call'];

export interface ThreadData {
	engineId: number;
	config: Config;
	thread: number;
	/** A row of each I/O thread, then that of the main thread and that of the gRPC thread. */
	rows: SharedArrayBuffer;
	/** Where the main thread's probes arrive. */
	probes: MessagePort;
}
