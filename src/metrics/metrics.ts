/** What a Prometheus scrape sees: the engine's own counters, the transports' traffic, the event loop and the process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CoreStats, OperationStats } from '../native/addon.js';
import { EngineHistogram, type Labels } from './engine-histogram.js';

/** Counted by the transports as plain numbers; a scrape reads them. */
export interface Traffic {
	/** Open connections that have not become WebSockets. */
	httpConnections: number;
	/** Open WebSocket connections. */
	rpcConnections: number;
	rpcFrames: number;
	httpRequests: number;
	receivedBytes: number;
	sentBytes: number;
	/** RPC connections cut off because their peer did not read its answers. */
	slowConsumers: number;
	/** Errors found before the engine was asked, by code. */
	errors: Map<string, number>;
}

export const createTraffic = (): Traffic => ({
	httpConnections: 0,
	rpcConnections: 0,
	rpcFrames: 0,
	httpRequests: 0,
	receivedBytes: 0,
	sentBytes: 0,
	slowConsumers: 0,
	errors: new Map(),
});

export function countError(traffic: Traffic, code: string): void {
	traffic.errors.set(code, (traffic.errors.get(code) ?? 0) + 1);
}

export interface Metrics {
	readonly contentType: string;
	/** One scrape; the engine is asked once. */
	render(): Promise<string>;
	close(): void;
}

const MICROSECOND = 1e-6;

export function createMetrics(readStats: () => CoreStats, traffic: Traffic): Metrics {
	const registry = new Registry();
	let stats = readStats();
	const scrape = new Scrape(registry, () => stats);
	scrape.requests();
	scrape.engine();
	scrape.traffic(traffic);
	const stopLag = scrape.eventLoopLag();
	collectDefaultMetrics({ register: registry });
	return {
		contentType: registry.contentType,
		render: () => {
			stats = readStats();
			return registry.metrics();
		},
		close: stopLag,
	};
}

/** Registers metrics whose values are read when a scrape asks. */
class Scrape {
	readonly #registry: Registry;
	readonly #stats: () => CoreStats;

	constructor(registry: Registry, stats: () => CoreStats) {
		this.#registry = registry;
		this.#stats = stats;
	}

	requests(): void {
		this.#histogram('rankd_request_duration_seconds', 'from submit to answer, errors included', MICROSECOND, (of) => of.requestUs);
		this.#histogram('rankd_queue_duration_seconds', 'from submit to the start of execution', MICROSECOND, (of) => of.queueUs);
		this.#histogram('rankd_compute_duration_seconds', 'execution of the batch a request was part of', MICROSECOND, (of) => of.computeUs);
		this.#histogram('rankd_batch_requests', 'requests executed as one batch', 1, (of) => of.batchRequests);
		this.#counter('rankd_rows_total', 'candidates or rows scored', () => this.#operations().map(([labels, { rows }]) => [labels, rows]));
		this.#counter('rankd_degraded_total', 'answers with a word in "degraded", by that word', () =>
			this.#operations().flatMap(([labels, { degraded }]) => byName(degraded, 'reason', labels)),
		);
	}

	engine(): void {
		this.#gauge('rankd_open_requests', 'submitted and not yet answered', () => [[{}, this.#stats().openRequests]]);
		this.#gauge('rankd_compute_queue_length', 'requests waiting for a compute thread', () => [[{}, this.#stats().computeQueueLength]]);
		this.#gauge('rankd_compute_threads', 'threads for long work', () => [[{}, this.#stats().computeThreads]]);
		this.#gauge('rankd_draining', '1 while the server shuts down', () => [[{}, Number(this.#stats().draining)]]);
		this.#gauge('rankd_engine_info', 'always 1; what the engine runs on', () => [
			[{ isa: this.#stats().isa, onnxruntime: this.#stats().onnxruntime }, 1],
		]);
		this.#gauge('rankd_model_info', 'always 1; the versions in service and their aliases', () =>
			this.#stats().models.map(({ name, version, kind, aliases }) => [{ model: name, version, kind, aliases: aliases.join(',') }, 1]),
		);
		this.#gauge('rankd_model_bytes', 'size of the bundle in service', () =>
			this.#stats().models.map(({ name, version, bytes }) => [{ model: name, version }, bytes]),
		);
	}

	traffic(traffic: Traffic): void {
		this.#gauge('rankd_http_connections', 'open HTTP connections', () => [[{}, traffic.httpConnections]]);
		this.#gauge('rankd_rpc_connections', 'open RPC connections', () => [[{}, traffic.rpcConnections]]);
		this.#counter('rankd_rpc_frames_total', 'RPC frames received', () => [[{}, traffic.rpcFrames]]);
		this.#counter('rankd_http_requests_total', 'HTTP calls of /v1 received', () => [[{}, traffic.httpRequests]]);
		this.#counter('rankd_received_bytes_total', 'bytes of frames and bodies received', () => [[{}, traffic.receivedBytes]]);
		this.#counter('rankd_sent_bytes_total', 'bytes of answers sent', () => [[{}, traffic.sentBytes]]);
		this.#counter('rankd_slow_consumers_total', 'RPC connections cut off because answers were not read', () => [
			[{}, traffic.slowConsumers],
		]);
		this.#counter('rankd_errors_total', 'error answers by code, wherever the error was found', () => byName(this.#errors(traffic), 'code'));
	}

	/** @returns what stops the measurement */
	eventLoopLag(): () => void {
		const delay = monitorEventLoopDelay({ resolution: 10 });
		delay.enable();
		this.#gauge('rankd_event_loop_lag_seconds', 'delay of timers since the last scrape', () => {
			const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
			const quantiles: [Labels, number][] = [
				[{ quantile: '0.5' }, seconds(delay.percentile(50))],
				[{ quantile: '0.99' }, seconds(delay.percentile(99))],
				[{ quantile: '1' }, seconds(delay.max)],
			];
			delay.reset();
			return quantiles;
		});
		return () => delay.disable();
	}

	#operations(): [Labels, OperationStats][] {
		return this.#stats().operations.map((of) => [{ model: of.model, version: of.version, operation: of.operation }, of]);
	}

	/** Errors of models, errors that met no model, and errors that never met the engine. */
	#errors(traffic: Traffic): Record<string, number> {
		const total: Record<string, number> = {};
		const all = [
			Object.entries(this.#stats().errors),
			traffic.errors,
			...this.#operations().map(([, { errors }]) => Object.entries(errors)),
		];
		for (const part of all) for (const [code, count] of part) total[code] = (total[code] ?? 0) + count;
		return total;
	}

	#histogram(name: string, help: string, scale: number, of: (stats: OperationStats) => OperationStats['requestUs']): void {
		const read = () => this.#operations().map(([labels, stats]) => ({ labels, counts: of(stats) }));
		this.#registry.registerMetric(new EngineHistogram({ name, help, scale, read }));
	}

	#counter(name: string, help: string, read: () => [Labels, number][]): void {
		const counter: Counter = new Counter({
			name,
			help,
			labelNames: ['model', 'version', 'operation', 'reason', 'code'],
			registers: [this.#registry],
			collect: () => {
				counter.reset();
				for (const [labels, value] of read()) counter.inc(labels, value);
			},
		});
	}

	#gauge(name: string, help: string, read: () => [Labels, number][]): void {
		const gauge: Gauge = new Gauge({
			name,
			help,
			labelNames: ['model', 'version', 'kind', 'aliases', 'isa', 'onnxruntime', 'quantile'],
			registers: [this.#registry],
			collect: () => {
				gauge.reset();
				for (const [labels, value] of read()) gauge.set(labels, value);
			},
		});
	}
}

function byName(counts: Readonly<Record<string, number>>, label: string, labels: Labels = {}): [Labels, number][] {
	return Object.entries(counts).map(([name, count]) => [{ ...labels, [label]: name }, count]);
}
