/** A whole server: I/O threads that serve, and the main thread's own app, which watches them. */
import type { Config } from '../config/keys.js';
import type { EngineError } from '../errors.js';
import type { Logger } from '../log.js';
import { stalledMs } from '../metrics/loop-monitor.js';
import { createMetrics } from '../metrics/metrics.js';
import { createRows, rowsOf, type ThreadRow } from '../metrics/thread-row.js';
import type { Engine } from '../native/engine.js';
import { packageInfo } from '../package-info.js';
import type { Addresses } from './addresses.js';
import { AdminApp } from './admin-app.js';
import type { PageContext } from './context.js';
import { IoThreads } from './io-threads.js';

/** An I/O thread that has not turned for so long is stuck: the longest batch is far shorter. */
const STALLED_MS = 10_000;

export interface ServerOptions {
	engine: Engine;
	config: Config;
	log: Logger;
}

export class RankdServer {
	readonly #engine: Engine;
	readonly #rows: readonly ThreadRow[];
	readonly #context: PageContext;
	readonly #admin: AdminApp;
	readonly #threads: IoThreads;
	#problem: string | undefined;
	#break: (error: EngineError) => void = () => {};

	/** Resolves when an I/O thread has ended by itself. */
	readonly broken = new Promise<EngineError>((resolve) => {
		this.#break = resolve;
	});

	/** Starts the threads; they listen when they are told. */
	constructor({ engine, config, log }: ServerOptions) {
		this.#engine = engine;
		const buffer = createRows(config.ioThreads + 1);
		this.#rows = rowsOf(buffer).slice(0, -1);
		const { traffic } = rowsOf(buffer).at(-1) as ThreadRow;
		const readStats = () => engine.stats();
		const metrics = createMetrics({ readStats, threads: this.#rows, other: [traffic], isObserved: config.observability });
		this.#context = {
			config,
			log,
			traffic,
			metrics,
			stats: readStats,
			notAlive: () => this.#stalled(),
			notReady: () => (engine.stats().models.length === 0 ? 'no model is loaded' : this.#problem),
			version: packageInfo.version,
			isDraining: false,
		};
		this.#admin = new AdminApp(this.#context);
		this.#threads = new IoThreads({ engineId: engine.id, config, rows: buffer, metrics: metrics.render, onDeath: this.#break });
	}

	/** @param problem why it is not ready although models serve. @throws EngineError `INVALID_CONFIG` */
	async listen(addresses: Addresses, problem: string | undefined): Promise<void> {
		this.#problem = problem;
		await this.#threads.listen(addresses, problem);
		await this.#admin.listen(addresses.host, addresses.metricsPort);
	}

	/** Every thread stops listening, answers what it has read and refuses the rest. @returns whether all was answered within the time */
	drain(timeoutMs: number): Promise<boolean> {
		this.#context.isDraining = true;
		this.#engine.drain();
		return this.#threads.drain(timeoutMs);
	}

	/** Cuts what is still connected; resolves when the threads have ended. @throws EngineError `INTERNAL` when one does not */
	async close(): Promise<void> {
		await this.#threads.close();
		this.#admin.close();
	}

	#stalled(): string | undefined {
		const thread = this.#rows.findIndex(({ loop }) => stalledMs(loop) > STALLED_MS);
		return thread < 0 ? undefined : `I/O thread ${thread} has not turned for ${STALLED_MS / 1000} seconds`;
	}
}
