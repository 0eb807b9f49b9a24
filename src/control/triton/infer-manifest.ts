/** The manifest that stands for a configuration: what the engine loads a folder without `manifest.json` by. */
import { type ConfigInput, type ConfigOutput, type ConfigTensor, datatypeOf, type ModelConfig, type QueuePolicy } from './model-config.js';
import { sessionOf } from './session-options.js';
import { warmupRequests } from './warmup-requests.js';

export interface ManifestOptions {
	config: ModelConfig;
	/** The model's folder. */
	folder: string;
	name: string;
	version: string;
	/** Rows of a run where the configuration says nothing and the graph can batch. */
	defaultMaxBatchSize: number;
	/** False: what the configuration leaves out is its default and not the graph's. */
	autoComplete: boolean;
}

/** Priorities of requests go to 9. */
const LOWEST_PRIORITY = 9;

/** @throws EngineError `BUNDLE_INVALID` where warm-up data cannot be read */
export function inferManifest({ config, folder, name, version, defaultMaxBatchSize, autoComplete }: ManifestOptions): string {
	const file = config.default_model_filename || 'model.onnx';
	const maxBatchSize = config.max_batch_size ?? (autoComplete ? undefined : 0);
	const infer = {
		max_batch_size: maxBatchSize,
		dynamic_batching: maxBatchSize === undefined && !config.dynamic_batching ? undefined : config.dynamic_batching !== undefined,
		preferred_max: defaultMaxBatchSize,
		inputs: config.input?.map(inputOf),
		outputs: config.output?.map(outputOf),
		response_cache: config.response_cache?.enable,
		queue: queueOf(config),
		session: sessionOf(config),
		warmup: warmupRequests(config, folder),
	};
	return JSON.stringify({ format: 1, name, version, kind: 'model', graphs: { model: { file } }, default_graph: 'model', infer });
}

const tensorOf = ({ name, data_type, dims, reshape }: ConfigTensor): object => ({
	name,
	datatype: datatypeOf(data_type),
	dims,
	reshape: reshape && (reshape.shape ?? []),
});

const inputOf = (input: ConfigInput): object => ({ ...tensorOf(input), optional: input.optional });

const outputOf = (output: ConfigOutput): object => ({ ...tensorOf(output), labels: output.label_filename || undefined });

function queueOf({ dynamic_batching: batching }: ModelConfig): object | undefined {
	if (batching === undefined) return undefined;
	const priority = Math.min(batching.default_priority_level ?? 0, LOWEST_PRIORITY);
	return { ...(batching.default_queue_policy && policyOf(batching.default_queue_policy)), default_priority: priority };
}

const policyOf = (policy: QueuePolicy): object => ({
	max_size: policy.max_queue_size ?? 0,
	default_timeout_us: policy.default_timeout_microseconds ?? 0,
	allow_timeout_override: policy.allow_timeout_override ?? false,
	timeout_action: policy.timeout_action === 'DELAY' ? 'delay' : 'reject',
});
