/** A whole server: I/O threads and a gRPC thread that serve, and the main thread's own app, which watches them. */
import type { Config } from '../config/keys.js';
import type { OipRepository } from '../control/oip-repository.js';
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
import { GrpcThread } from './grpc/grpc-thread.js';
import { IoThreads } from './io-threads.js';
import { mainCalls } from './main-calls.js';
import { LogControl, type LogSettings } from './oip/log-settings.js';
import { type ProblemBody, problemBody } from './problem-body.js';
import type { AdminRepository } from './repository-routes.js';
import { logTraces } from './trace-log.js';

/** A thread that has not turned for so long is stuck: the longest batch is far shorter. */
const STALLED_MS = 10_000;

export interface ServerOptions {
	engine: Engine;
	config: Config;
	log: Logger;
	repository: AdminRepository;
	/** The same repository, as the Open Inference Protocol asks it. */
	oip: OipRepository;
}

export class RankdServer {
	readonly #engine: Engine;
	readonly #repository: AdminRepository;
	/** Of the threads that serve. */
	readonly #rows: readonly ThreadRow[];
	readonly #context: PageContext;
	readonly #admin: AdminApp;
	readonly #threads: IoThreads;
	readonly #grpc: GrpcThread | undefined;
	readonly #stopTraces: () => void;
	#break: (error: EngineError) => void = () => {};

	/** Resolves when a thread has ended by itself. */
	readonly broken = new Promise<EngineError>((resolve) => {
		this.#break = resolve;
	});

	/** Starts the threads; they listen when they are told. */
	constructor({ engine, config, log, repository, oip }: ServerOptions) {
		this.#engine = engine;
		this.#repository = repository;
		const { ioThreads } = config;
		const mainAt = ioThreads;
		const grpcAt = ioThreads + 1;
		const rows = createRows(ioThreads + 2);
		const { traffic } = rowsOf(rows)[mainAt] as ThreadRow;
		const grpcRow = rowsOf(rows)[grpcAt] as ThreadRow;
		const ioRows = rowsOf(rows).slice(0, ioThreads);
		this.#rows = config.allowGrpc ? [...ioRows, grpcRow] : ioRows;
		const readStats = () => engine.stats();
		const metrics = createMetrics({
			readStats,
			threads: ioRows,
			other: [traffic, grpcRow.traffic],
			isObserved: config.observability,
			reloads: () => repository.counts,
		});
		this.#context = {
			config,
			log,
			traffic,
			metrics,
			stats: readStats,
			models: () => engine.models(),
			slowRequests: () => engine.slowRequests(),
			notAlive: () => this.#stalled(),
			problems: () => repository.problems.map(problemBody),
			version: packageInfo.version,
			isDraining: false,
			isStarting: true,
		};
		const tellLogging = (settings: LogSettings) => this.#tellLogging(settings);
		const answers = mainCalls({ metrics, repository: oip, logging: new LogControl(log, config.logLevel), tellLogging });
		this.#admin = new AdminApp(this.#context, repository);
		this.#threads = new IoThreads({ engineId: engine.id, config, rows, answers, onDeath: this.#break });
		if (config.allowGrpc) this.#grpc = new GrpcThread({ engineId: engine.id, config, rows, rowAt: grpcAt }, answers, this.#break);
		this.#stopTraces = logTraces(() => engine.takeTraces(), log);
		repository.onProblems((problems) => this.#tell(problems.map(problemBody)));
	}

	/** What answers readiness for calls listens last, so that who hears it finds the rest there. @throws EngineError `INVALID_CONFIG` */
	async listen(addresses: Addresses): Promise<void> {
		if (addresses.metricsPort !== undefined) await this.#admin.listen(addresses.host, addresses.metricsPort);
		if (addresses.grpcPort !== undefined) await this.#grpc?.listen(addresses.host, addresses.grpcPort);
		await this.#threads.listen(addresses);
		this.#context.isStarting = false;
	}

	/** Every thread stops listening, answers what it has read and refuses the rest. @returns whether all was answered within the time */
	async drain(timeoutMs: number): Promise<boolean> {
		this.#context.isDraining = true;
		this.#repository.close();
		this.#engine.drain();
		const drained = [this.#threads.drain(timeoutMs), this.#grpc?.drain(timeoutMs) ?? true];
		return (await Promise.all(drained)).every(Boolean);
	}

	/** Cuts what is still connected; resolves when the threads have ended. @throws EngineError `INTERNAL` when one does not */
	async close(): Promise<void> {
		await Promise.all([this.#threads.close(), this.#grpc?.close()]);
		this.#stopTraces();
		this.#admin.close();
	}

	#tell(problems: readonly ProblemBody[]): void {
		this.#threads.tell(problems);
		this.#grpc?.tell(problems);
	}

	async #tellLogging(settings: LogSettings): Promise<void> {
		await Promise.all([this.#threads.setLogging(settings), this.#grpc?.setLogging(settings)]);
	}

	#stalled(): string | undefined {
		const thread = this.#rows.findIndex(({ loop }) => stalledMs(loop) > STALLED_MS);
		const name = thread === this.#context.config.ioThreads ? 'the gRPC thread' : `I/O thread ${thread}`;
		return thread < 0 ? undefined : `${name} has not turned for ${STALLED_MS / 1000} seconds`;
	}
}
