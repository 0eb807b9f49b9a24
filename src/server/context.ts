/** What the routes of one app work with; no globals, so that each thread can have its own. */
import type { Config } from '../config/keys.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Traffic } from '../metrics/thread-row.js';
import type { CoreStats } from '../native/addon.js';
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
	/** Why this server is not alive, or undefined when it is. */
	readonly notAlive: () => string | undefined;
	/** Why this server is not ready, or undefined when it is. */
	readonly notReady: () => string | undefined;
	/** The package's version. */
	readonly version: string;
	/** No new work: sockets are told to go elsewhere. */
	isDraining: boolean;
}

export interface Context extends PageContext {
	readonly turn: Turn;
	/** Open RPC connections of all threads. */
	readonly rpcConnections: () => number;
}
