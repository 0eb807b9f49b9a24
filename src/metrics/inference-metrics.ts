/** `infer` under the names that dashboards of Triton's users ask for. */
import type { CoreStats, InferenceStats, ResponseCacheStats } from '../native/addon.js';
import { byName, type Exposition, type Labels, type Read } from './exposition.js';

const MICROSECONDS_PER_NS = 1e-3;

export function showInference(page: Exposition, stats: () => CoreStats): void {
	const versions = (): [Labels, InferenceStats][] => stats().inference.map((of) => [{ model: of.model, version: of.version }, of]);
	const counter = (name: string, help: string, of: (stats: InferenceStats) => number) =>
		page.counter(name, help, () => versions().map(([labels, each]) => [labels, of(each)]));

	counter('nv_inference_request_success', 'requests answered well, from the response cache included', (of) => of.success.count);
	page.counter('nv_inference_request_failure', 'requests that were not, by reason', () =>
		versions().flatMap(([labels, { failures }]) => byName(failures, 'reason', labels)),
	);
	counter('nv_inference_count', 'rows computed for requests answered well', (of) => of.inferenceCount);
	counter('nv_inference_exec_count', 'runs of the graph', (of) => of.executionCount);
	for (const { name, help, duration } of parts) {
		counter(`nv_inference_${name}_duration_us`, `${help}, summed over requests answered well`, (of) => of.durationsUs[duration].sum);
		page.histogram({
			name: `nv_inference_${name}_duration_histogram_us`,
			help,
			scale: 1,
			read: () => versions().map(([labels, { durationsUs }]) => ({ labels, counts: durationsUs[duration] })),
		});
	}
	page.gauge('nv_inference_pending_request_count', 'submitted and not yet executed', () =>
		versions().map(([labels, { pending }]) => [labels, pending]),
	);
	showCache(page, stats, counter);
}

type ShowCounter = (name: string, help: string, of: (stats: InferenceStats) => number) => void;

function showCache(page: Exposition, stats: () => CoreStats, counter: ShowCounter): void {
	counter('nv_cache_num_hits_per_model', 'requests answered from the response cache', (of) => of.cacheHit.count);
	counter('nv_cache_num_misses_per_model', 'requests computed because the response cache did not know them', (of) => of.cacheMiss.count);
	counter('nv_cache_hit_duration_per_model', 'µs of looking up what was there', (of) => of.cacheHit.ns * MICROSECONDS_PER_NS);
	counter(
		'nv_cache_miss_duration_per_model',
		'µs of looking up what was not, and of keeping it',
		(of) => of.cacheMiss.ns * MICROSECONDS_PER_NS,
	);
	const cache = (of: (cache: ResponseCacheStats) => number): Read => {
		return () => {
			const { responseCache } = stats();
			return responseCache === undefined ? [] : [[{}, of(responseCache)]];
		};
	};
	page.gauge(
		'rankd_response_cache_bytes',
		'memory that kept responses take',
		cache((of) => of.bytes),
	);
	page.gauge(
		'rankd_response_cache_limit_bytes',
		'what they may take',
		cache((of) => of.limitBytes),
	);
	page.gauge(
		'rankd_response_cache_entries',
		'kept responses',
		cache((of) => of.entries),
	);
	page.counter(
		'rankd_response_cache_evictions_total',
		'responses that went for want of room',
		cache((of) => of.evictions),
	);
}

interface Part {
	name: string;
	help: string;
	duration: keyof InferenceStats['durationsUs'];
}

const parts: readonly Part[] = [
	{ name: 'request', help: 'from submit until the answer is encoded', duration: 'request' },
	{ name: 'queue', help: 'from submit until work for the request began', duration: 'queue' },
	{ name: 'compute_input', help: 'decoding and gathering inputs', duration: 'computeInput' },
	{ name: 'compute_infer', help: 'the run that the request had part in', duration: 'computeInfer' },
	{ name: 'compute_output', help: 'handing out and encoding outputs', duration: 'computeOutput' },
];
