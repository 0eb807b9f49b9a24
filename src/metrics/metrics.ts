/** What a Prometheus scrape sees: the engine's own counters, the transports' traffic of all threads, their event loops and the process. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CoreStats, OperationStats } from '../native/addon.js';
import { EngineHistogram, type Labels } from './engine-histogram.js';
import { readLag } from './loop-monitor.js';
import type { Count, ThreadRow, Traffic } from './thread-row.js';

export interface Metrics {
	/** One scrape, in Prometheus' text format; the engine is asked once. */
	render(): Promise<string>;
}

export interface MetricsSources {
	readStats: () => CoreStats;
	/** One per I/O thread, in their order. */
	threads: readonly ThreadRow[];
	/** What is counted beside the I/O threads. */
	other?: readonly Traffic[];
	/** False: what the engine does not count is not shown either. */
	isObserved?: boolean;
}

const MICROSECOND = 1e-6;

export function createMetrics({ readStats, threads, other = [], isObserved = true }: MetricsSources): Metrics {
	const registry = new Registry();
	let stats = readStats();
	const scrape = new Scrape(registry, () => stats);
	if (isObserved) {
		scrape.requests();
		scrape.loops(threads);
	}
	scrape.engine(isObserved);
	scrape.traffic([...threads.map(({ traffic }) => traffic), ...other]);
	scrape.threads(threads.map(({ traffic }) => traffic));
	collectDefaultMetrics({ register: registry });
	return {
		render: () => {
			stats = readStats();
			return registry.metrics();
		},
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

	engine(isObserved: boolean): void {
		if (isObserved) this.#gauge('rankd_open_requests', 'submitted and not yet answered', () => [[{}, this.#stats().openRequests]]);
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

	/** Sums over all threads. */
	traffic(all: readonly Traffic[]): void {
		const sum = (count: Count): [Labels, number][] => [[{}, all.reduce((total, traffic) => total + traffic.read(count), 0)]];
		this.#gauge('rankd_http_connections', 'open HTTP connections', () => sum('httpConnections'));
		this.#gauge('rankd_rpc_connections', 'open RPC connections', () => sum('rpcConnections'));
		this.#counter('rankd_rpc_frames_total', 'RPC frames received', () => sum('rpcFrames'));
		this.#counter('rankd_http_requests_total', 'HTTP calls of /v1 received', () => sum('httpRequests'));
		this.#counter('rankd_received_bytes_total', 'bytes of frames and bodies received', () => sum('receivedBytes'));
		this.#counter('rankd_sent_bytes_total', 'bytes of answers sent', () => sum('sentBytes'));
		this.#counter('rankd_slow_consumers_total', 'RPC connections cut off because answers were not read', () => sum('slowConsumers'));
		this.#counter('rankd_errors_total', 'error answers by code, wherever the error was found', () => byName(this.#errors(all), 'code'));
	}

	/** How evenly the kernel has spread the connections. */
	threads(all: readonly Traffic[]): void {
		const each = (...counts: Count[]) =>
			all.map((traffic, thread): [Labels, number] => [
				{ thread: String(thread) },
				counts.reduce((total, count) => total + traffic.read(count), 0),
			]);
		this.#gauge('rankd_io_threads', 'threads that serve connections', () => [[{}, all.length]]);
		this.#gauge('rankd_io_thread_connections', 'open connections of either kind by I/O thread', () =>
			each('httpConnections', 'rpcConnections'),
		);
		this.#counter('rankd_io_thread_frames_total', 'RPC frames received by I/O thread', () => each('rpcFrames'));
		this.#counter('rankd_io_thread_http_requests_total', 'HTTP calls of /v1 received by I/O thread', () => each('httpRequests'));
	}

	loops(threads: readonly ThreadRow[]): void {
		this.#gauge('rankd_event_loop_lag_seconds', 'delay of timers since the last scrape by I/O thread', () =>
			threads.flatMap(({ loop }, thread) => {
				const { p50, p99, max } = readLag(loop);
				const labels = (quantile: string): Labels => ({ thread: String(thread), quantile });
				return [
					[labels('0.5'), p50],
					[labels('0.99'), p99],
					[labels('1'), max],
				];
			}),
		);
	}

	#operations(): [Labels, OperationStats][] {
		return this.#stats().operations.map((of) => [{ model: of.model, version: of.version, operation: of.operation }, of]);
	}

	/** Errors of models, errors that met no model, and errors that never met the engine. */
	#errors(traffic: readonly Traffic[]): Record<string, number> {
		const total: Record<string, number> = {};
		const all = [this.#stats().errors, ...traffic.map((each) => each.errors()), ...this.#operations().map(([, { errors }]) => errors)];
		for (const part of all) for (const [code, count] of Object.entries(part)) total[code] = (total[code] ?? 0) + count;
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
			labelNames: ['model', 'version', 'operation', 'reason', 'code', 'thread'],
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
			labelNames: ['model', 'version', 'kind', 'aliases', 'isa', 'onnxruntime', 'quantile', 'thread'],
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
