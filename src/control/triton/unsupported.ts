/** What of a configuration has no effect here: refused by name where a model would answer otherwise without it, remarked where it only runs otherwise. */
import { EngineError } from '../../errors.js';
import type { ConfigTensor, ModelConfig } from './model-config.js';
import { isRunnable } from './warmup-requests.js';

type Rule = readonly [field: string, applies: (config: ModelConfig) => boolean, why: string];

const tensorsOf = ({ input = [], output = [] }: ModelConfig): ConfigTensor[] => [...input, ...output];
const isOther = (given: string | undefined, known: readonly string[]) => given !== undefined && given !== '' && !known.includes(given);

const refused: readonly Rule[] = [
	['platform', ({ platform }) => isOther(platform, ['onnxruntime_onnx']), 'only onnxruntime_onnx is served'],
	['backend', ({ backend }) => isOther(backend, ['onnxruntime']), 'only onnxruntime is served'],
	['ensemble_scheduling', (config) => config.ensemble_scheduling !== undefined, 'ensembles are not served'],
	['sequence_batching', (config) => config.sequence_batching !== undefined, 'sequences are not served'],
	['model_transaction_policy.decoupled', (config) => config.model_transaction_policy?.decoupled === true, 'every request has one answer'],
	['batch_input', ({ batch_input = [] }) => batch_input.length > 0, 'inputs come from requests alone'],
	['batch_output', ({ batch_output = [] }) => batch_output.length > 0, 'outputs are the graph’s'],
	[
		'input.allow_ragged_batch',
		({ input = [] }) => input.some((each) => each.allow_ragged_batch),
		'requests share a run only with equal shapes',
	],
	['is_shape_tensor', (config) => tensorsOf(config).some((each) => each.is_shape_tensor), 'ONNX graphs have no shape tensors'],
	['is_non_linear_format_io', (config) => tensorsOf(config).some((each) => each.is_non_linear_format_io), 'tensors are row-major'],
	[
		'model_operations',
		(config) => (config.model_operations?.op_library_filename ?? []).length > 0,
		'no libraries of custom operators are loaded',
	],
	['model_repository_agents', (config) => (config.model_repository_agents?.agents ?? []).length > 0, 'there are no repository agents'],
	[
		'dynamic_batching.priority_queue_policy',
		({ dynamic_batching: batching }) => Object.keys(batching?.priority_queue_policy ?? {}).length > 0,
		'all priorities share default_queue_policy',
	],
];

const remarked: readonly Rule[] = [
	['instance_group.kind', ({ instance_group: groups = [] }) => groups.some(({ kind }) => kind === 'KIND_GPU'), 'it runs on the CPU'],
	[
		'optimization.execution_accelerators',
		(config) => config.optimization?.execution_accelerators !== undefined,
		'it runs without accelerators',
	],
	['model_warmup', ({ model_warmup: samples = [] }) => !samples.every(isRunnable), 'samples with FP16 or BF16 inputs are not run'],
];

/** @throws EngineError `BUNDLE_INVALID` naming the field */
export function refuseUnsupported(config: ModelConfig): void {
	const [first] = sentences(refused, config);
	if (first !== undefined) throw new EngineError('BUNDLE_INVALID', first);
}

export const remarksOn = (config: ModelConfig): string[] => sentences(remarked, config);

const sentences = (rules: readonly Rule[], config: ModelConfig): string[] =>
	rules.filter(([, applies]) => applies(config)).map(([field, , why]) => `${field} is not supported: ${why}`);
