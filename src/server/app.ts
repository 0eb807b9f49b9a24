/** One uWebSockets app in front of an engine: routes, listening, draining. Holds no globals: each I/O thread has one. */
import { setTimeout as delay } from 'node:timers/promises';
import uWS, { type TemplatedApp } from 'uWebSockets.js';
import type { Config } from '../config/keys.js';
import { EngineError } from '../errors.js';
import type { Logger } from '../log.js';
import { monitorLoop } from '../metrics/loop-monitor.js';
import type { Metrics } from '../metrics/metrics.js';
import type { ThreadRow } from '../metrics/thread-row.js';
import type { CoreStats, ModelInfo, NativeHandle, SlowRequests } from '../native/addon.js';
import { packageInfo } from '../package-info.js';
import type { Context } from './context.js';
import { logFaults } from './fault-log.js';
import { serveOperations } from './http.js';
import { Listener } from './listener.js';
import { LogControl, type LogSettings } from './oip/log-settings.js';
import { serveOip } from './oip/serve-oip.js';
import { operationLinks, serveNotFound, servePages } from './pages.js';
import type { ProblemBody } from './problem-body.js';
import { refuseRepositoryCalls } from './repository-routes.js';
import { RpcServer } from './rpc.js';
import type { AskMain, ListenPlaces } from './thread-calls.js';
import { Turn } from './turn.js';

/** WebSocket close code of a server that goes away and comes back. */
const SERVICE_RESTART = 1012;

/** What an app needs of the engine; a test gives it a fake. */
export interface AppEngine {
	attach(): NativeHandle;
	stats(): CoreStats;
	models(): ModelInfo[];
	slowRequests(): SlowRequests;
	drain(): void;
}

export interface AppOptions {
	engine: AppEngine;
	config: Config;
	log: Logger;
	/** Of the whole process. */
	metrics: Metrics;
	/** The rows of all I/O threads; this app writes into that of its own thread. */
	rows: readonly ThreadRow[];
	thread?: number;
	/** Default: there is no main thread to ask. */
	askMain?: AskMain;
	/** What of the repository does not serve; default: nothing. */
	problems?: () => readonly ProblemBody[];
	/** How long peers have to take their last answers and the close frame before their connections are cut. */
	lingerMs?: number;
}

const askNobody: AskMain = () => Promise.reject(new EngineError('UNSUPPORTED_FEATURE', 'this server has no repository'));

export class RankdApp {
	readonly #app: TemplatedApp = uWS.App();
	readonly #engine: AppEngine;
	readonly #handle: NativeHandle;
	readonly #turn: Turn;
	readonly #context: Context;
	readonly #rpc: RpcServer;
	readonly #listener = new Listener(this.#app);
	readonly #stopMonitor: () => void;
	readonly #lingerMs: number;
	#isClosed = false;

	constructor({ engine, config, log, metrics, rows, askMain = askNobody, thread = 0, problems = () => [], lingerMs = 500 }: AppOptions) {
		const row = rows[thread] as ThreadRow;
		this.#engine = engine;
		this.#lingerMs = lingerMs;
		this.#handle = engine.attach();
		this.#turn = new Turn(this.#handle, { flushBudgetUs: config.flushBudgetUs, onFault: logFaults(log) });
		this.#stopMonitor = monitorLoop(row.loop, config.observability);
		this.#context = {
			config,
			log,
			turn: this.#turn,
			askMain,
			logging: new LogControl(log, config.logLevel),
			traffic: row.traffic,
			rpcConnections: () => rows.reduce((total, { traffic }) => total + traffic.read('rpcConnections'), 0),
			metrics,
			stats: () => engine.stats(),
			models: () => engine.models(),
			slowRequests: () => engine.slowRequests(),
			// Who is asked turns.
			notAlive: () => undefined,
			problems,
			version: packageInfo.version,
			isDraining: false,
			isStarting: false,
		};
		this.#app.filter((_, change) => row.traffic.add('httpConnections', Number(change)));
		this.#rpc = new RpcServer(this.#context);
		this.#rpc.serve(this.#app);
		serveOperations(this.#app, this.#context);
		servePages(this.#app, this.#context, operationLinks);
		refuseRepositoryCalls(this.#app, this.#context);
		serveNotFound(this.#app, this.#context, serveOip(this.#app, this.#context));
	}

	/** Listens on host and port, and on the Unix socket, where there is one; whoever calls has probed both. */
	async listen({ host, port, unixSocket }: ListenPlaces): Promise<void> {
		if (unixSocket !== undefined) await this.#listener.listenUnix(unixSocket);
		if (port !== undefined) await this.#listener.listen(host, port);
	}

	setLogging(settings: LogSettings): void {
		this.#context.logging.apply(settings);
	}

	/**
	 * Stops listening, answers what was read, refuses what still comes, and tells RPC peers to reconnect elsewhere.
	 * @returns whether everything was answered within the time
	 */
	async drain(timeoutMs: number): Promise<boolean> {
		const deadline = performance.now() + timeoutMs;
		this.#context.isDraining = true;
		this.#listener.close();
		this.#engine.drain();
		const isIdle = await this.#becomesIdle(deadline);
		const { traffic } = this.#context;
		const isConnected = traffic.read('rpcConnections') + traffic.read('httpConnections') > 0;
		this.#rpc.endAll(SERVICE_RESTART, 'the server restarts');
		// Closing a socket with unread input resets it, and answers on their way would be lost: peers stop sending first.
		if (isConnected) await delay(this.#lingerMs);
		return isIdle;
	}

	/** Cuts whatever is still connected and leaves the engine; may be called twice. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#listener.close();
		this.#app.close();
		this.#stopMonitor();
		this.#handle.detach();
	}

	/** Idle is: no request open, and no answer left in our buffers. */
	async #becomesIdle(deadline: number): Promise<boolean> {
		const timedOut = new AbortController();
		const timeout = delay(Math.max(0, deadline - performance.now()), false, { signal: timedOut.signal }).catch(() => false);
		const isIdle = await Promise.race([this.#turn.whenIdle().then(() => true), timeout]);
		timedOut.abort();
		while (isIdle && this.#context.traffic.read('backlogBytes') > 0) {
			if (performance.now() >= deadline) return false;
			await delay(5);
		}
		return isIdle;
	}
}
