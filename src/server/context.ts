/** What the routes of one app work with; no globals, so that each thread can have its own. */
import type { Config } from '../config/keys.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Traffic } from '../metrics/thread-row.js';
import type { CoreStats, ModelInfo, SlowRequests } from '../native/addon.js';
import type { LogControl } from './oip/log-settings.js';
import type { ProblemBody } from './problem-body.js';
import type { AskMain } from './thread-calls.js';
import type { Turn } from './turn.js';

/** What pages and probes need; the main thread has these without serving requests. */
export interface PageContext {
	readonly config: Config;
	readonly log: Logger;
	/** Of this thread. */
	readonly traffic: Traffic;
	/** Of the process, whichever thread is asked. */
	readonly metrics: Metrics;
	readonly stats: () => CoreStats;
	readonly models: () => ModelInfo[];
	readonly slowRequests: () => SlowRequests;
	/** Why this server is not alive, or undefined when it is. */
	readonly notAlive: () => string | undefined;
	/** What of the repository does not serve as it is published. */
	readonly problems: () => readonly ProblemBody[];
	/** The package's version. */
	readonly version: string;
	/** No new work: sockets are told to go elsewhere. */
	isDraining: boolean;
	/** Not every address of this server is listened on yet. */
	isStarting: boolean;
}

export interface Context extends PageContext {
	readonly askMain: AskMain;
	/** Of this thread. */
	readonly logging: LogControl;
	readonly turn: Turn;
	/** Open RPC connections of all threads. */
	readonly rpcConnections: () => number;
}
