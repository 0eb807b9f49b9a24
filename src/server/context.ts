/** What every route of one app works with; no globals, so that each I/O thread can have its own. */
import type { Config } from '../config/keys.js';
import type { Logger } from '../log.js';
import type { Metrics, Traffic } from '../metrics/metrics.js';
import type { CoreStats } from '../native/addon.js';
import type { Turn } from './turn.js';

export interface Context {
	readonly config: Config;
	readonly log: Logger;
	readonly turn: Turn;
	readonly traffic: Traffic;
	readonly metrics: Metrics;
	readonly stats: () => CoreStats;
	/** Why this server is not ready, or undefined when it is. */
	readonly notReady: () => string | undefined;
	/** The package's version. */
	readonly version: string;
	/** No new work: sockets are told to go elsewhere. */
	isDraining: boolean;
}
