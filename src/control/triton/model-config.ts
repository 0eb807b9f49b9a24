/** A model configuration as plain data, and its way from and to the messages of `protocol/model_config.proto`. */
import type { Message } from 'protobufjs';
import { messageType } from '../../protocol.js';

export interface ConfigTensor {
	name?: string;
	/** Such as `TYPE_FP32`. */
	data_type?: string;
	/** Without the batch dimension where there is one. */
	dims?: number[];
	reshape?: { shape?: number[] };
	is_shape_tensor?: boolean;
	is_non_linear_format_io?: boolean;
}

export interface ConfigInput extends ConfigTensor {
	allow_ragged_batch?: boolean;
	optional?: boolean;
}

export interface ConfigOutput extends ConfigTensor {
	label_filename?: string;
}

export interface QueuePolicy {
	timeout_action?: 'REJECT' | 'DELAY';
	default_timeout_microseconds?: number;
	allow_timeout_override?: boolean;
	max_queue_size?: number;
}

export interface WarmupInput {
	data_type?: string;
	dims?: number[];
	zero_data?: boolean;
	random_data?: boolean;
	input_data_file?: string;
}

export interface WarmupSample {
	name?: string;
	batch_size?: number;
	inputs?: Record<string, WarmupInput>;
	count?: number;
}

/** The fields that decide something here; what a configuration does not say is absent. The others are kept as they are. */
export interface ModelConfig {
	name?: string;
	platform?: string;
	backend?: string;
	version_policy?: { latest?: { num_versions?: number }; all?: object; specific?: { versions?: number[] } };
	max_batch_size?: number;
	input?: ConfigInput[];
	output?: ConfigOutput[];
	batch_input?: object[];
	batch_output?: object[];
	optimization?: { execution_accelerators?: object; cuda?: object };
	dynamic_batching?: {
		priority_levels?: number;
		default_priority_level?: number;
		default_queue_policy?: QueuePolicy;
		priority_queue_policy?: object;
	};
	sequence_batching?: object;
	ensemble_scheduling?: object;
	instance_group?: { name?: string; kind?: string; count?: number; gpus?: number[] }[];
	default_model_filename?: string;
	parameters?: Record<string, { string_value?: string }>;
	model_warmup?: WarmupSample[];
	model_operations?: { op_library_filename?: string[] };
	model_transaction_policy?: { decoupled?: boolean };
	model_repository_agents?: { agents?: object[] };
	response_cache?: { enable?: boolean };
}

/** `TYPE_STRING` is `BYTES` in requests; undefined where nothing is said. */
export function datatypeOf(dataType: string | undefined): string | undefined {
	if (dataType === undefined || dataType === 'TYPE_INVALID') return undefined;
	return dataType === 'TYPE_STRING' ? 'BYTES' : dataType.replace('TYPE_', '');
}

const asNames = { enums: String, longs: Number, bytes: String };

export const configOf = (message: Message): ModelConfig => messageType('ModelConfig').toObject(message, asNames) as ModelConfig;

/** As the protocol answers it: every field of every message that is there, defaults written out, 64-bit integers as numbers. */
export function configJson(config: ModelConfig): object {
	const type = messageType('ModelConfig');
	return withoutNulls(type.toObject(type.fromObject(config), { ...asNames, defaults: true })) as object;
}

/** The library writes null for a message that is not there. */
function withoutNulls(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutNulls);
	if (typeof value !== 'object' || value === null) return value;
	const present = Object.entries(value).filter(([, field]) => field !== null);
	return Object.fromEntries(present.map(([name, field]) => [name, withoutNulls(field)]));
}
