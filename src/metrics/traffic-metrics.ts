/** What the I/O threads count: connections, frames, bytes, errors, and how late their loops are. */
import type { CoreStats } from '../native/addon.js';
import { byName, type Exposition, type Labels, MICROSECOND } from './exposition.js';
import { readLag } from './loop-monitor.js';
import { readReceiveDelay } from './receive-delay.js';
import type { Count, ThreadRow, Traffic } from './thread-row.js';

/** Sums over all threads. */
export function showTraffic(page: Exposition, stats: () => CoreStats, all: readonly Traffic[]): void {
	const sum = (count: Count) => (): [Labels, number][] => [[{}, all.reduce((total, traffic) => total + traffic.read(count), 0)]];
	page.gauge('rankd_http_connections', 'open HTTP connections', sum('httpConnections'));
	page.gauge('rankd_rpc_connections', 'open RPC connections', sum('rpcConnections'));
	page.counter('rankd_rpc_frames_total', 'RPC frames received', sum('rpcFrames'));
	page.counter('rankd_http_requests_total', 'HTTP calls of /v1 received', sum('httpRequests'));
	page.counter('rankd_grpc_requests_total', 'requests to infer received over gRPC, those inside streams included', sum('grpcRequests'));
	page.counter('rankd_grpc_calls_total', 'gRPC calls received that ask for anything else', sum('grpcCalls'));
	page.counter('rankd_received_bytes_total', 'bytes of frames and bodies received', sum('receivedBytes'));
	page.counter('rankd_sent_bytes_total', 'bytes of answers sent', sum('sentBytes'));
	page.counter('rankd_slow_consumers_total', 'connections cut off because answers were not read', sum('slowConsumers'));
	page.gauge('rankd_backlog_bytes', 'answers that wait for peers to read', sum('backlogBytes'));
	page.counter('rankd_errors_total', 'error answers by code, wherever the error was found', () => byName(errorsOf(stats(), all), 'code'));
}

/** Errors of models, errors that met no model, and errors that never met the engine. */
function errorsOf(stats: CoreStats, traffic: readonly Traffic[]): Record<string, number> {
	const total: Record<string, number> = {};
	const all = [stats.errors, ...traffic.map((each) => each.errors()), ...stats.operations.map(({ errors }) => errors)];
	for (const part of all) for (const [code, count] of Object.entries(part)) total[code] = (total[code] ?? 0) + count;
	return total;
}

/** How evenly the kernel has spread the connections. */
export function showThreads(page: Exposition, all: readonly Traffic[]): void {
	const each =
		(...counts: Count[]) =>
		() =>
			all.map((traffic, thread): [Labels, number] => [
				{ thread: String(thread) },
				counts.reduce((total, count) => total + traffic.read(count), 0),
			]);
	page.gauge('rankd_io_threads', 'threads that serve connections', () => [[{}, all.length]]);
	page.gauge('rankd_io_thread_connections', 'open connections of either kind by I/O thread', each('httpConnections', 'rpcConnections'));
	page.counter('rankd_io_thread_frames_total', 'RPC frames received by I/O thread', each('rpcFrames'));
	page.counter('rankd_io_thread_http_requests_total', 'HTTP calls of /v1 received by I/O thread', each('httpRequests'));
}

export function showLoops(page: Exposition, threads: readonly ThreadRow[]): void {
	page.gauge('rankd_event_loop_lag_seconds', 'delay of timers since the last scrape by I/O thread', () =>
		threads.flatMap(({ loop }, thread) => {
			const { p50, p99, max } = readLag(loop);
			const labels = (quantile: string): Labels => ({ thread: String(thread), quantile });
			return [
				[labels('0.5'), p50],
				[labels('0.99'), p99],
				[labels('1'), max],
			] as const;
		}),
	);
	page.histogram({
		name: 'rankd_receive_delay_seconds',
		help: 'how long bytes lie readable before an I/O thread reads them, by a probe every 50 ms',
		scale: MICROSECOND,
		read: () => threads.map(({ receive }, thread) => ({ labels: { thread: String(thread) }, counts: readReceiveDelay(receive) })),
	});
}
