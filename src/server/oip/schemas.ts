/** Bodies under /v2 as zod schemas: what administrative calls are checked against, and what `/v2/openapi.json` describes. */
import { z } from 'zod';

export const datatypes = [
	'BOOL',
	'UINT8',
	'UINT16',
	'UINT32',
	'UINT64',
	'INT8',
	'INT16',
	'INT32',
	'INT64',
	'FP16',
	'BF16',
	'FP32',
	'FP64',
	'BYTES',
] as const;

const datatype = z.enum(datatypes);
const dimension = z.int().min(-1);
const parameter = z.union([z.string(), z.boolean(), z.number()]);

export const live = z.object({ live: z.boolean() });
export const ready = z.object({ ready: z.boolean() });
export const modelReady = z.object({ name: z.string(), ready: z.boolean() });

export const error = z
	.object({
		error: z.string().describe('what happened, and what to change'),
		code: z.string().describe('never changes its meaning; docs/errors.md has them all'),
		request_id: z.union([z.string(), z.number(), z.null()]),
		retry_after_ms: z.number().optional(),
	})
	.meta({ id: 'Error' });

export const serverMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });

export const modelNames = z.object({ models: z.array(z.string()) });

const tensorMetadata = z.object({
	name: z.string(),
	datatype,
	shape: z.array(dimension).describe('-1: any size, from request to request'),
});

export const modelMetadata = z.object({
	name: z.string(),
	versions: z.array(z.string()).describe('versions in service, or the one in the path'),
	platform: z.string(),
	inputs: z.array(tensorMetadata),
	outputs: z.array(tensorMetadata),
});

const tensorData = z
	.array(z.union([z.boolean(), z.number(), z.string(), z.array(z.unknown())]))
	.describe('flat or nested, row-major; 64-bit integers are read exactly, NaN and Infinity may stand bare');

const inputTensor = z.object({
	name: z.string(),
	shape: z.array(z.int().min(0)),
	datatype,
	parameters: z
		.looseObject({ binary_data_size: z.int().min(0).optional().describe('bytes of this tensor behind the JSON, in place of data') })
		.optional(),
	data: tensorData.optional(),
});

const wantedOutput = z.object({
	name: z.string(),
	parameters: z
		.looseObject({
			binary_data: z.boolean().optional().describe('true: the tensor comes behind the JSON'),
			classification: z.int().min(1).optional().describe('so many best elements as "value:index[:label]" in place of the tensor'),
		})
		.optional(),
});

export const inferRequest = z.object({
	id: z.string().optional().describe('comes back in the answer'),
	parameters: z
		.object({
			priority: z.int().min(0).optional().describe('1 is the highest, 0 the default'),
			timeout: z.int().min(0).optional().describe('how long the request may queue, in microseconds'),
			binary_data_output: z.boolean().optional().describe('true: outputs that say nothing of their own are binary'),
		})
		.catchall(parameter)
		.optional(),
	inputs: z.array(inputTensor),
	outputs: z.array(wantedOutput).optional().describe('default: all, in the order of the model'),
});

const outputTensor = z.object({
	name: z.string(),
	datatype,
	shape: z.array(z.int().min(0)),
	parameters: z.looseObject({ binary_data_size: z.int().min(0).optional() }).optional(),
	data: z.array(z.union([z.boolean(), z.number(), z.string()])).optional(),
});

export const inferResponse = z.object({
	id: z.string().optional(),
	model_name: z.string(),
	model_version: z.string(),
	parameters: z.record(z.string(), parameter).optional(),
	outputs: z.array(outputTensor),
});

const countedTime = z.object({ count: z.int().min(0), ns: z.number().min(0) });

export const modelStatistics = z.object({
	model_stats: z.array(
		z.object({
			name: z.string(),
			version: z.string(),
			last_inference: z.number().describe('ms since 1970; 0: never'),
			inference_count: z.int().describe('rows of successful requests that were computed'),
			execution_count: z.int().describe('runs of the graph'),
			inference_stats: z.object({
				success: countedTime,
				fail: countedTime,
				queue: countedTime,
				compute_input: countedTime,
				compute_infer: countedTime,
				compute_output: countedTime,
				cache_hit: countedTime,
				cache_miss: countedTime,
			}),
			response_stats: z.object({}),
			batch_stats: z.array(
				z.object({ batch_size: z.int(), compute_input: countedTime, compute_infer: countedTime, compute_output: countedTime }),
			),
			memory_usage: z.array(z.object({ type: z.string(), id: z.int(), byte_size: z.number() })),
		}),
	),
});

export const modelConfig = z
	.looseObject({ name: z.string(), platform: z.string(), max_batch_size: z.int() })
	.describe('ModelConfig in the JSON form of protobuf: names in snake_case, every default written out');

export const traceSettings = z.object({
	trace_level: z.array(z.string()),
	trace_rate: z.string(),
	trace_count: z.string(),
	log_frequency: z.string(),
	trace_file: z.string(),
	trace_mode: z.string(),
});

export const indexRequest = z.object({ ready: z.boolean('expected a boolean').optional().describe('only what serves') });

export const index = z.array(
	z.object({
		name: z.string(),
		version: z.string().optional(),
		state: z.enum(['UNKNOWN', 'READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING']).optional(),
		reason: z.string().optional(),
	}),
);

export const loadRequest = z.object({
	parameters: z
		.object({ config: z.string('expected a string').optional().describe('a model configuration as JSON text') })
		.catchall(z.string('expected a string').describe('file:<path in the folder of the model>: its content in base64'))
		.optional(),
});

export const unloadRequest = z.object({
	parameters: z.looseObject({ unload_dependents: z.boolean('expected a boolean').optional() }).optional(),
});

export const loaded = z.object({ name: z.string(), load: z.boolean() });
export const unloaded = z.object({ name: z.string(), unload: z.boolean() });

export const logSettings = z.strictObject({
	log_file: z.string(),
	log_info: z.boolean(),
	log_warning: z.boolean(),
	log_error: z.boolean(),
	log_verbose_level: z.int().min(0),
	log_format: z.string(),
});
export const logChanges = logSettings.partial();

const traceSetting = z.union([z.string(), z.number(), z.array(z.string()), z.null()]).optional();
export const traceChanges = z.record(z.string(), traceSetting);

export const noRegions = z.array(z.object({}));
export const nothing = z.object({});
/** A body that is read by nobody, because what it asks for is refused. */
export const anyObject = z.looseObject({});
