/** A configuration with everything that was decided at load: what the protocol's clients read to know what a model takes and gives. */
import type { ModelInfo, TensorInfo } from '../../native/addon.js';
import type { ConfigTensor, ModelConfig } from './model-config.js';

/** @param config as it was given; undefined for one of our bundles, which has a manifest in its place */
export function completeConfig(config: ModelConfig | undefined, info: ModelInfo): ModelConfig {
	if (config === undefined) return { ...ofGraph(info), parameters: { kind: { string_value: info.kind } } };
	const { instance_group: groups = [], input = [], output = [] } = config;
	return {
		...ofGraph(info),
		...config,
		name: info.name,
		platform: 'onnxruntime_onnx',
		backend: 'onnxruntime',
		max_batch_size: info.maxBatchSize,
		input: input.length > 0 ? withTypes(input, info.inputs) : tensorsOf(info, info.inputs),
		output: output.length > 0 ? withTypes(output, info.outputs) : tensorsOf(info, info.outputs),
		instance_group: groups.length > 0 ? groups.map(onCpu) : [onCpu({ name: info.name })],
		...(config.dynamic_batching || !isBatchedByItself(config, info) ? {} : { dynamic_batching: {} }),
	};
}

function ofGraph(info: ModelInfo): ModelConfig {
	return {
		name: info.name,
		platform: info.inputs.length > 0 ? 'onnxruntime_onnx' : '',
		backend: info.inputs.length > 0 ? 'onnxruntime' : '',
		version_policy: { latest: { num_versions: 1 } },
		max_batch_size: info.maxBatchSize,
		input: tensorsOf(info, info.inputs),
		output: tensorsOf(info, info.outputs),
		default_model_filename: 'model.onnx',
	};
}

/** Where nobody said whether requests share runs, they do as soon as the graph can. */
const isBatchedByItself = (config: ModelConfig, info: ModelInfo): boolean => config.max_batch_size === undefined && info.maxBatchSize > 0;

const tensorsOf = ({ maxBatchSize }: ModelInfo, tensors: readonly TensorInfo[]): ConfigTensor[] =>
	tensors.map(({ name, datatype, shape }) => ({
		name,
		data_type: dataTypeOf(datatype),
		dims: maxBatchSize > 0 ? shape.slice(1) : shape,
	}));

/** A tensor may be configured by its name alone. */
function withTypes<T extends ConfigTensor>(configured: readonly T[], tensors: readonly TensorInfo[]): T[] {
	return configured.map((tensor) => {
		const found = tensors.find(({ name }) => name === tensor.name);
		return { ...tensor, data_type: tensor.data_type ?? dataTypeOf(found?.datatype ?? '') };
	});
}

const dataTypeOf = (datatype: string): string => (datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`);

/** All threads serve every model, on the CPU, whatever was asked for. */
const onCpu = (group: { name?: string; count?: number }) => ({ ...group, count: group.count || 1, kind: 'KIND_CPU', gpus: [] });
