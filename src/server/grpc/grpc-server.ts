/** The gRPC front of a thread: a grpc-js server over a handle of the engine. Holds no globals. */
import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Config } from '../../config/keys.js';
import { EngineError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { monitorLoop } from '../../metrics/loop-monitor.js';
import type { ThreadRow } from '../../metrics/thread-row.js';
import type { NativeHandle } from '../../native/addon.js';
import { packageInfo } from '../../package-info.js';
import type { AppEngine } from '../app.js';
import { logFaults } from '../fault-log.js';
import { readiness } from '../health.js';
import { LogControl, type LogSettings } from '../oip/log-settings.js';
import type { ProblemBody } from '../problem-body.js';
import type { AskMain } from '../thread-calls.js';
import { Turn } from '../turn.js';
import type { GrpcContext } from './context.js';
import { Health, type HealthRequest } from './health.js';
import { InferStream, modelInfer } from './infer-calls.js';
import { serveObservation } from './observing-methods.js';
import { PeerBacklogs } from './peer-backlogs.js';
import { serveRepository } from './repository-methods.js';
import { restrictionCheck } from './restricted-methods.js';
import { type Check, ServiceRegistrar } from './services.js';

export interface GrpcServerOptions {
	engine: AppEngine;
	config: Config;
	log: Logger;
	/** This thread's own. */
	row: ThreadRow;
	askMain: AskMain;
	/** What of the repository does not serve; default: nothing. */
	problems?: () => readonly ProblemBody[];
}

export class GrpcServer {
	readonly #engine: AppEngine;
	readonly #handle: NativeHandle;
	readonly #context: GrpcContext;
	readonly #server: Server;
	readonly #health: Health;
	readonly #streams = new Set<InferStream>();
	readonly #stopMonitor: () => void;
	#isClosed = false;

	constructor({ engine, config, log, row, askMain, problems = () => [] }: GrpcServerOptions) {
		this.#engine = engine;
		this.#handle = engine.attach();
		this.#stopMonitor = monitorLoop(row.loop, config.observability);
		this.#context = {
			config,
			log,
			askMain,
			logging: new LogControl(log, config.logLevel),
			turn: new Turn(this.#handle, { flushBudgetUs: config.flushBudgetUs, onFault: logFaults(log) }),
			traffic: row.traffic,
			backlogs: new PeerBacklogs({ config, log, traffic: row.traffic }),
			models: () => engine.models(),
			stats: () => engine.stats(),
			problems,
			version: packageInfo.version,
			isDraining: false,
			isStarting: false,
		};
		this.#server = new Server(serverOptions(config));
		this.#health = new Health(() => readiness(this.#context).status === 200);
		this.#serve(restrictionCheck(config.httpRestrictedApi));
	}

	/** @param port that is free; 0 takes any. @returns the port. @throws EngineError `INVALID_CONFIG` */
	listen(host: string, port: number): Promise<number> {
		const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
		return new Promise((resolve, reject) => {
			this.#server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) => {
				if (cause === null) resolve(bound);
				else reject(new EngineError('INVALID_CONFIG', `cannot listen on ${address}: ${cause.message}`, { cause }));
			});
		});
	}

	setLogging(settings: LogSettings): void {
		this.#context.logging.apply(settings);
	}

	/**
	 * Stops listening, answers what was read, refuses what still comes, and ends streams that ask nothing.
	 * @returns whether everything was answered within the time
	 */
	async drain(timeoutMs: number): Promise<boolean> {
		const isOver = new AbortController();
		const timeout = delay(timeoutMs, false, { signal: isOver.signal }).catch(() => false);
		this.#context.isDraining = true;
		this.#engine.drain();
		this.#health.end();
		const isIdle = await Promise.race([this.#context.turn.whenIdle().then(() => true), timeout]);
		for (const stream of this.#streams) stream.end(new EngineError('DRAINING', 'the server restarts'));
		const isShutDown = await Promise.race([this.#shutDown(), timeout]);
		isOver.abort();
		return isIdle && isShutDown;
	}

	/** Cuts whatever is still connected and leaves the engine; may be called twice. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#server.forceShutdown();
		this.#stopMonitor();
		this.#handle.detach();
	}

	#serve(check: Check): void {
		const context = this.#context;
		const oip = new ServiceRegistrar(this.#server, 'inference.GRPCInferenceService', context, check);
		oip.rawUnary('ModelInfer', (call, callback) => modelInfer(context, call, callback));
		oip.rawStream('ModelStreamInfer', (call) => this.#stream(call));
		serveObservation(oip, context);
		serveRepository(oip, context);
		const health = new ServiceRegistrar(this.#server, 'grpc.health.v1.Health', context, check);
		health.unary<HealthRequest>('Check', (request) => this.#health.check(request));
		health.serverStream<HealthRequest>('Watch', (request, call) => this.#health.watch(request, call));
	}

	#stream(call: ServerDuplexStream<Buffer, Uint8Array>): void {
		const stream = new InferStream(this.#context, call);
		this.#streams.add(stream);
		call.on('close', () => this.#streams.delete(stream));
	}

	/** Resolves when the peers have taken their last answers and closed. */
	#shutDown(): Promise<boolean> {
		return new Promise((resolve) => this.#server.tryShutdown(() => resolve(true)));
	}
}

function serverOptions({ httpMaxInputSize, queueCapacity, idleTimeoutS }: Config): object {
	return {
		// A ping after half of the time has the other half to be answered in.
		'grpc.keepalive_time_ms': (idleTimeoutS * 1000) / 2,
		'grpc.keepalive_timeout_ms': (idleTimeoutS * 1000) / 2,
		'grpc.max_receive_message_length': httpMaxInputSize,
		'grpc.max_send_message_length': -1,
		'grpc.max_concurrent_streams': queueCapacity,
	};
}
