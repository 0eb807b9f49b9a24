/** What the engine counts of the requests and batches of each operation. */
import type { CoreStats, Histogram, OperationStats } from '../native/addon.js';
import { byName, type Exposition, type Labels, MICROSECOND } from './exposition.js';

export function showRequests(page: Exposition, stats: () => CoreStats): void {
	const operations = (): [Labels, OperationStats][] =>
		stats().operations.map((of) => [{ model: of.model, version: of.version, operation: of.operation }, of]);
	const histogram = (name: string, help: string, scale: number, of: (stats: OperationStats) => Histogram) =>
		page.histogram({ name, help, scale, read: () => operations().map(([labels, each]) => ({ labels, counts: of(each) })) });
	const counter = (name: string, help: string, of: (stats: OperationStats, labels: Labels) => [Labels, number][]) =>
		page.counter(name, help, () => operations().flatMap(([labels, each]) => of(each, labels)));

	const duration = 'from submit until the answer is computed, errors included';
	histogram('rankd_request_duration_seconds', duration, MICROSECOND, (of) => of.requestUs);
	histogram('rankd_queue_duration_seconds', 'from submit to the start of execution', MICROSECOND, (of) => of.queueUs);
	histogram('rankd_compute_duration_seconds', 'execution of the batch a request was part of', MICROSECOND, (of) => of.computeUs);
	histogram('rankd_batch_requests', 'requests executed as one batch', 1, (of) => of.batchRequests);
	page.histogram({
		name: 'rankd_stage_duration_seconds',
		help: 'one stage of a batch; queue: from submit to the start of execution, of each request',
		scale: MICROSECOND,
		read: () => operations().flatMap(([labels, of]) => stagesOf(of).map(([stage, counts]) => ({ labels: { ...labels, stage }, counts }))),
	});
	page.counter('rankd_dropped_traces_total', 'traced requests that were not logged: too many in a second', () => [
		[{}, stats().droppedTraces],
	]);
	counter('rankd_rows_total', 'candidates or rows scored', ({ rows }, labels) => [[labels, rows]]);
	counter('rankd_batch_cuts_total', 'executed batches by why they ended where they did', ({ cuts }, labels) =>
		byName(cuts, 'reason', labels),
	);
	counter('rankd_degraded_total', 'answers with a word in "degraded", by that word', ({ degraded }, labels) =>
		byName(degraded, 'reason', labels),
	);
}

/** The queue is a stage too: the only one that is counted per request. */
const stagesOf = ({ queueUs, stageUs }: OperationStats): [string, Histogram][] => Object.entries({ queue: queueUs, ...stageUs });
