/** What became of the events that `feedback` brought; nothing where there is no event log. */
import type { CoreStats, EventLogStats } from '../native/addon.js';
import type { Exposition, Read } from './exposition.js';

export function showEventLog(page: Exposition, stats: () => CoreStats): void {
	const read =
		(of: (log: EventLogStats) => ReturnType<Read>): Read =>
		() => {
			const { eventLog } = stats();
			return eventLog === undefined ? [] : of(eventLog);
		};
	const counter = (name: string, help: string, of: (log: EventLogStats) => number) =>
		page.counter(
			name,
			help,
			read((log) => [[{}, of(log)]]),
		);
	const gauge = (name: string, help: string, of: (log: EventLogStats) => number) =>
		page.gauge(
			name,
			help,
			read((log) => [[{}, of(log)]]),
		);
	counter('rankd_feedback_events_total', 'events accepted', (log) => log.accepted);
	page.counter(
		'rankd_feedback_refused_events_total',
		'events refused: the queue was full, or the disk could not be written',
		read((log) => [
			[{ reason: 'queue_full' }, log.refusedFull],
			[{ reason: 'write_failed' }, log.refusedFailed],
		]),
	);
	gauge('rankd_event_log_queue_events', 'events accepted and not yet written', (log) => log.queuedEvents);
	gauge('rankd_event_log_queue_bytes', 'bytes accepted and not yet written', (log) => log.queuedBytes);
	counter('rankd_event_log_bytes_total', 'bytes written', (log) => log.writtenBytes);
	counter('rankd_event_log_segments_total', 'files begun', (log) => log.segments);
	counter('rankd_event_log_removed_segments_total', 'files removed beyond event_log_keep_mib', (log) => log.removedSegments);
	counter('rankd_event_log_failures_total', 'times that the disk refused to make, write or sync a file', (log) => log.failures);
	gauge('rankd_event_log_failing', '1 while nothing can be written', (log) => Number(log.fault !== ''));
}
