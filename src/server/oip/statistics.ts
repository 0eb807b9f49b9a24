/** The engine's counters of `infer` in the protocol's shape. */
import { EngineError } from '../../errors.js';
import type { BatchStats, InferenceStats, ModelInfo } from '../../native/addon.js';
import { modelAt, partsOf } from './served-models.js';

interface Statistics {
	models: readonly ModelInfo[];
	inference: readonly InferenceStats[];
}

/** @param target all versions of a model, or the one it names; default: everything. @throws EngineError `INVALID_ARGUMENT` when there is none */
export function modelStatistics({ models, inference }: Statistics, target?: string): { model_stats: object[] } {
	const wanted = target === undefined ? inference : inference.filter(belongsTo(models, target));
	return { model_stats: wanted.map(statsJson) };
}

/** Triton answers 400 here, not 404. */
function belongsTo(models: readonly ModelInfo[], target: string): (stats: InferenceStats) => boolean {
	const { name, selector } = partsOf(target);
	try {
		const { version } = modelAt(models, target);
		return (stats) => stats.model === name && (selector === undefined || stats.version === version);
	} catch (cause) {
		const { message } = EngineError.from(cause);
		throw new EngineError('INVALID_ARGUMENT', `requested model '${name}' is not available: ${message}`, { cause });
	}
}

function statsJson(stats: InferenceStats): object {
	const { success, fail, queue } = stats;
	return {
		name: stats.model,
		version: stats.version,
		last_inference: stats.lastInference,
		inference_count: stats.inferenceCount,
		execution_count: stats.executionCount,
		inference_stats: {
			success,
			fail,
			queue,
			compute_input: stats.computeInput,
			compute_infer: stats.computeInfer,
			compute_output: stats.computeOutput,
			cache_hit: stats.cacheHit,
			cache_miss: stats.cacheMiss,
		},
		response_stats: {},
		batch_stats: stats.batches.map(batchJson),
		memory_usage: [],
	};
}

const batchJson = ({ batchSize, computeInput, computeInfer, computeOutput }: BatchStats): object => ({
	batch_size: batchSize,
	compute_input: computeInput,
	compute_infer: computeInfer,
	compute_output: computeOutput,
});
