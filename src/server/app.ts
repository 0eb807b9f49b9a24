/** One uWebSockets app in front of an engine: routes, listening, draining. Holds no globals, so each I/O thread can have one. */
import { setTimeout as delay } from 'node:timers/promises';
import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { Config } from '../config/keys.js';
import { EngineError } from '../errors.js';
import type { Logger } from '../log.js';
import { createMetrics, createTraffic, type Metrics } from '../metrics/metrics.js';
import type { CoreStats, NativeHandle } from '../native/addon.js';
import { packageInfo } from '../package-info.js';
import type { Context } from './context.js';
import { logFaults } from './fault-log.js';
import { serveHealth } from './health.js';
import { serveOperations } from './http.js';
import { serveNotFound, servePages } from './pages.js';
import { probePort, probeUnixSocket } from './port-probe.js';
import { RpcServer } from './rpc.js';
import { Turn } from './turn.js';

/** WebSocket close code of a server that goes away and comes back. */
const SERVICE_RESTART = 1012;

/** What an app needs of the engine; a test gives it a fake. */
export interface AppEngine {
	attach(): NativeHandle;
	stats(): CoreStats;
	drain(): void;
}

export interface AppOptions {
	engine: AppEngine;
	config: Config;
	log: Logger;
	/** Why this server is not ready, or undefined when it is; default: ready as soon as a model serves. */
	notReady?: () => string | undefined;
	/** How long peers have to take their last answers and the close frame before their connections are cut. */
	lingerMs?: number;
}

export class RankdApp {
	readonly #app: TemplatedApp = uWS.App();
	readonly #engine: AppEngine;
	readonly #handle: NativeHandle;
	readonly #turn: Turn;
	readonly #metrics: Metrics;
	readonly #context: Context;
	readonly #rpc: RpcServer;
	readonly #lingerMs: number;
	readonly #listenSockets: us_listen_socket[] = [];
	#isClosed = false;

	constructor({ engine, config, log, notReady, lingerMs = 500 }: AppOptions) {
		const traffic = createTraffic();
		this.#engine = engine;
		this.#lingerMs = lingerMs;
		this.#handle = engine.attach();
		this.#turn = new Turn(this.#handle, { flushBudgetUs: config.flushBudgetUs, onFault: logFaults(log) });
		this.#metrics = createMetrics(() => engine.stats(), traffic);
		const noModel = () => (engine.stats().models.length > 0 ? undefined : 'no model is loaded');
		this.#context = {
			config,
			log,
			turn: this.#turn,
			traffic,
			metrics: this.#metrics,
			stats: () => engine.stats(),
			notReady: notReady ?? noModel,
			version: packageInfo.version,
			isDraining: false,
		};
		this.#app.filter((_, change) => this.#countHttpConnections(Number(change)));
		this.#rpc = new RpcServer(this.#context);
		this.#rpc.serve(this.#app);
		serveOperations(this.#app, this.#context);
		serveHealth(this.#app, this.#context);
		servePages(this.#app, this.#context);
		serveNotFound(this.#app, this.#context);
	}

	/** Listens on host and port, and on the Unix socket when there is one. @returns the port. @throws EngineError `PORT_IN_USE` */
	async listen(): Promise<number> {
		const { host, httpPort, unixSocket } = this.#context.config;
		await probePort(host, httpPort);
		if (unixSocket !== undefined) {
			await probeUnixSocket(unixSocket);
			await this.#listening(unixSocket, (taken) => this.#app.listen_unix(taken, unixSocket));
		}
		const socket = await this.#listening(`${host}:${httpPort}`, (taken) => this.#app.listen(host, httpPort, taken));
		return uWS.us_socket_local_port(socket);
	}

	/**
	 * Stops listening, answers what was read, refuses what still comes, and tells RPC peers to reconnect elsewhere.
	 * @returns whether everything was answered within the time
	 */
	async drain(timeoutMs: number): Promise<boolean> {
		const deadline = performance.now() + timeoutMs;
		this.#context.isDraining = true;
		this.#stopListening();
		this.#engine.drain();
		const isIdle = await this.#becomesIdle(deadline);
		const { rpcConnections, httpConnections } = this.#context.traffic;
		this.#rpc.endAll(SERVICE_RESTART, 'the server restarts');
		// Closing a socket with unread input resets it, and answers on their way would be lost: peers stop sending first.
		if (rpcConnections + httpConnections > 0) await delay(this.#lingerMs);
		return isIdle;
	}

	/** Cuts whatever is still connected and leaves the engine; may be called twice. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#stopListening();
		this.#app.close();
		this.#metrics.close();
		this.#handle.detach();
	}

	#stopListening(): void {
		for (const socket of this.#listenSockets.splice(0)) uWS.us_listen_socket_close(socket);
	}

	/** uWebSockets hands a listen socket, or false, to a callback. */
	#listening(where: string, listen: (taken: (socket: us_listen_socket | false) => void) => void): Promise<us_listen_socket> {
		return new Promise((resolve, reject) => {
			listen((socket) => {
				if (!socket) return reject(new EngineError('INVALID_CONFIG', `cannot listen on ${where}`));
				this.#listenSockets.push(socket);
				resolve(socket);
			});
		});
	}

	#countHttpConnections(change: number): void {
		this.#context.traffic.httpConnections += change;
	}

	/** Idle is: no request open, and no answer left in our buffers. */
	async #becomesIdle(deadline: number): Promise<boolean> {
		const timedOut = new AbortController();
		const timeout = delay(Math.max(0, deadline - performance.now()), false, { signal: timedOut.signal }).catch(() => false);
		const isIdle = await Promise.race([this.#turn.whenIdle().then(() => true), timeout]);
		timedOut.abort();
		while (isIdle && !this.#rpc.isFlushed) {
			if (performance.now() >= deadline) return false;
			await delay(5);
		}
		return isIdle;
	}
}
