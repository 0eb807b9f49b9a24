/** What the engine is at this moment: its models, its queue, its bounds. */
import type { CoreStats, ModelInfo } from '../native/addon.js';
import { type Exposition, type Labels, MICROSECOND } from './exposition.js';

export function showEngine(page: Exposition, stats: () => CoreStats, isObserved: boolean): void {
	const one = (name: string, help: string, of: (stats: CoreStats) => number) => page.gauge(name, help, () => [[{}, of(stats())]]);
	if (isObserved) one('rankd_open_requests', 'submitted and not yet answered', (of) => of.openRequests);
	one('rankd_compute_queue_length', 'requests waiting for a compute thread', (of) => of.computeQueueLength);
	one('rankd_compute_threads', 'threads for long work', (of) => of.computeThreads);
	one('rankd_draining', '1 while the server shuts down', (of) => Number(of.draining));
	page.gauge('rankd_engine_info', 'always 1; what the engine runs on', () => [[{ isa: stats().isa, onnxruntime: stats().onnxruntime }, 1]]);
	showModels(page, () => stats().models);
}

function showModels(page: Exposition, models: () => readonly ModelInfo[]): void {
	const labelsOf = ({ name, version }: ModelInfo): Labels => ({ model: name, version });
	page.gauge('rankd_model_info', 'always 1; the versions in service and their aliases', () =>
		models().map((model) => [{ ...labelsOf(model), kind: model.kind, aliases: model.aliases.join(',') }, 1]),
	);
	page.gauge('rankd_batch_bound_seconds', 'what a batch may take now', () =>
		models().map((model) => [labelsOf(model), model.batchUs * MICROSECOND]),
	);
	page.gauge('rankd_wait_bound_seconds', 'what a request may be expected to wait now; absent without bound', () =>
		models()
			.filter(({ waitUs }) => Number.isFinite(waitUs))
			.map((model) => [labelsOf(model), model.waitUs * MICROSECOND]),
	);
	page.gauge('rankd_model_bytes', 'size of the bundle in service', () => models().map((model) => [labelsOf(model), model.bytes]));
	page.gauge('nv_model_load_duration_secs', 'how long it took to load', () =>
		models().map((model) => [labelsOf(model), model.loadMs / 1000]),
	);
}
