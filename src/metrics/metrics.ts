/** What a Prometheus scrape sees: the engine's own counters, the transports' traffic of all threads, their event loops and the process. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Cgroup } from '../cgroup.js';
import type { CoreStats } from '../native/addon.js';
import { showEngine } from './engine-metrics.js';
import { showEventLog } from './event-log-metrics.js';
import { byName, Exposition } from './exposition.js';
import { showInference } from './inference-metrics.js';
import { showKernel } from './kernel-metrics.js';
import { showMachine } from './machine-metrics.js';
import { showRequests } from './request-metrics.js';
import type { ThreadRow, Traffic } from './thread-row.js';
import { showLoops, showThreads, showTraffic } from './traffic-metrics.js';

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
	/** Bundles by what became of them. */
	reloads?: () => Readonly<Record<string, number>>;
	/** False: what the engine does not count is not shown either. */
	isObserved?: boolean;
	cgroup?: Cgroup;
}

export function createMetrics(sources: MetricsSources): Metrics {
	const { readStats, threads, other = [], reloads = () => ({}), isObserved = true, cgroup = new Cgroup() } = sources;
	const page = new Exposition();
	const stats = page.once(readStats);
	const traffic = threads.map((row) => row.traffic);
	if (isObserved) {
		showRequests(page, stats);
		showInference(page, stats);
		showLoops(page, threads);
	}
	showEngine(page, stats, isObserved);
	showEventLog(page, stats);
	page.counter('rankd_reloads_total', 'bundles by what became of them: loaded, failed, unloaded', () => byName(reloads(), 'outcome'));
	showTraffic(page, stats, [...traffic, ...other]);
	showThreads(page, traffic);
	showKernel(page, cgroup);
	showMachine(page);
	const processMetrics = new Registry();
	collectDefaultMetrics({ register: processMetrics });
	return { render: async () => page.render() + (await processMetrics.metrics()) };
}
