/** Triton's flags in our keys: what means the same is taken, what is harmless is said to do nothing, and what would be missed stops the start. */
import { EngineError } from '../errors.js';
import type { KeyName } from './keys.js';

/** What one flag comes to: values of our keys, or a sentence for the log. */
export interface Meaning {
	keys?: Partial<Record<KeyName, unknown>>;
	warning?: string;
}

export interface TritonFlag {
	/** Without the dashes in front. */
	name: string;
	/** How `--help` shows its value; a switch stands for `true` without one. */
	value: 'text' | 'number' | 'true|false';
	/** May be given several times. */
	isList?: boolean;
	help: string;
	/** @param all every flag of Triton that was given, by name. @throws EngineError `INVALID_CONFIG` */
	means: (value: string, all: ReadonlyMap<string, string>) => Meaning;
}

export function refusal(name: string, value: string, why: string): EngineError {
	return new EngineError('INVALID_CONFIG', `--${name} ${value}: ${why}`);
}

/** The value of one of our keys under another name. */
const same = (name: string, key: KeyName, value: TritonFlag['value'] = 'text'): TritonFlag => ({
	name,
	value,
	help: `Triton's word for --${key.replaceAll('_', '-')}`,
	means: (given) => ({ keys: { [key]: given } }),
});

/** A quantity that has another unit here. */
const scaled = (name: string, key: KeyName, factor: number): TritonFlag => ({
	name,
	value: 'number',
	help: `--${key.replaceAll('_', '-')} in another unit: times ${factor}`,
	means: (given) => {
		if (!/^\d{1,12}$/.test(given)) throw refusal(name, given, 'must be a whole number');
		return { keys: { [key]: Number(given) * factor } };
	},
});

/** What changes nothing that anybody could miss. */
const harmless = (name: string, why: string, value: TritonFlag['value'] = 'text'): TritonFlag => ({
	name,
	value,
	isList: true,
	help: `does nothing: ${why}`,
	means: () => ({ warning: `--${name} does nothing: ${why}` }),
});

/** What is accepted only where it asks for what is done anyway. */
const only = (accepted: string, name: string, why: string, value: TritonFlag['value'] = 'true|false'): TritonFlag => ({
	name,
	value,
	help: `must be ${accepted}: ${why}`,
	means: (given) => {
		if (given === accepted) return {};
		throw refusal(name, given, why);
	},
});

const refused = (name: string, why: string): TritonFlag => ({
	name,
	value: 'text',
	isList: true,
	help: `refused: ${why}`,
	means: (given) => {
		throw refusal(name, given, why);
	},
});

/** Four switches and a number of theirs are one level of ours. */
function logLevel(_: string, all: ReadonlyMap<string, string>): Meaning {
	const isOff = (name: string) => all.get(name) === 'false' || all.get(name) === '0';
	const verbosity = Number(all.get('log-verbose') ?? 0);
	if (Number.isNaN(verbosity)) throw refusal('log-verbose', all.get('log-verbose') ?? '', 'must be a whole number');
	if (verbosity > 0) return { keys: { log_level: verbosity > 1 ? 'trace' : 'debug' } };
	if (isOff('log-error')) return { keys: { log_level: 'silent' } };
	if (isOff('log-warning')) return { keys: { log_level: 'error' } };
	return { keys: { log_level: isOff('log-info') ? 'warn' : 'info' } };
}

const logSwitch = (name: string, value: TritonFlag['value'] = 'true|false'): TritonFlag => ({
	name,
	value,
	help: 'part of --log-level',
	means: logLevel,
});

/** `onnxruntime,default-max-batch-size=8`; no backend's name means all of them. */
function backendConfig(given: string): Meaning {
	const [, backend = '', setting = '', value = ''] = /^([\w-]*),([\w-]+)=(.*)$/.exec(given) ?? [];
	if (setting === 'default-max-batch-size') return { keys: { default_max_batch_size: value } };
	if (backend !== '' && backend !== 'onnxruntime')
		return { warning: `--backend-config ${given} does nothing: onnxruntime is the one backend` };
	const why = 'of a backend, default-max-batch-size is the one setting; threads and the like are parameters of a config.pbtxt';
	throw refusal('backend-config', given, why);
}

const MiB = 1024 * 1024;

/** Rounded up, so that a small cache is not none. */
function cacheBytes(name: string, given: string): Meaning {
	if (!/^\d{1,15}$/.test(given)) throw refusal(name, given, 'the size must be a whole number of bytes');
	return { keys: { response_cache_mib: Math.ceil(Number(given) / MiB) } };
}

/** `local,size=1048576`. */
function cacheConfig(given: string): Meaning {
	const [, size] = /^local,size=(.*)$/.exec(given) ?? [];
	if (size !== undefined) return cacheBytes('cache-config', size);
	throw refusal('cache-config', given, 'the one cache is in memory: local,size=<bytes>');
}

export const tritonFlags: readonly TritonFlag[] = [
	same('model-control-mode', 'model_control'),
	same('repository-poll-secs', 'poll_interval_s', 'number'),
	same('http-address', 'host'),
	same('grpc-address', 'host'),
	same('metrics-address', 'host'),
	same('http-thread-count', 'io_threads', 'number'),
	scaled('exit-timeout-secs', 'drain_timeout_ms', 1000),
	{
		name: 'disable-auto-complete-config',
		value: 'true|false',
		help: 'the opposite of --auto-complete-config',
		means: (given) => ({ keys: { auto_complete_config: given === 'false' } }),
	},
	{
		name: 'strict-model-config',
		value: 'true|false',
		help: 'the opposite of --auto-complete-config',
		means: (given) => ({ keys: { auto_complete_config: given === 'false' } }),
	},
	{ name: 'backend-config', value: 'text', isList: true, help: 'onnxruntime,default-max-batch-size=<number>', means: backendConfig },
	{ name: 'cache-config', value: 'text', isList: true, help: 'local,size=<bytes>: --response-cache-mib', means: cacheConfig },
	{
		name: 'response-cache-byte-size',
		value: 'number',
		help: '--response-cache-mib in bytes',
		means: (given) => cacheBytes('response-cache-byte-size', given),
	},
	logSwitch('log-verbose', 'number'),
	logSwitch('log-info'),
	logSwitch('log-warning'),
	logSwitch('log-error'),
	refused('log-file', 'logs go to stderr; let the shell or the container keep them'),
	refused('model-config-name', 'each model has one config.pbtxt'),
	refused('http-header-forward-pattern', 'no model reads headers; send a parameter in the body'),
	refused('grpc-header-forward-pattern', 'no model reads headers; send a parameter in the message'),
	refused('trace-config', 'a request is traced when its traceparent header says that it is sampled'),
	refused('rate-limit-resource', 'models do not share resources; queue_capacity and max_wait_ms bound the load'),
	only('off', 'rate-limit', 'models do not share resources; queue_capacity and max_wait_ms bound the load', 'text'),
	only('false', 'allow-client-shm', 'shared memory is not supported; send tensors in binary form'),
	only('false', 'reuse-http-port', 'two servers that share a port would be taken for one; io_threads share it within one'),
	only('false', 'reuse-grpc-port', 'two servers that share a port would be taken for one'),
	only('false', 'model-namespacing', 'a model has one name over all repositories'),
	only('false', 'grpc-use-ssl', 'connections are not encrypted; let a proxy do it'),
	only('false', 'allow-sagemaker', 'the interface of SageMaker is not served'),
	only('false', 'allow-vertex-ai', 'the interface of Vertex AI is not served'),
	harmless('model-load-thread-count', 'versions are loaded one after the other, beside the traffic', 'number'),
	harmless('model-load-retry-count', 'what cannot be loaded is tried again when its files change', 'number'),
	harmless('metrics-interval-ms', 'gauges are read when they are scraped', 'number'),
	harmless('metrics-config', 'histograms are always there, summaries never'),
	harmless('allow-gpu-metrics', 'models run on processors', 'true|false'),
	harmless('allow-cpu-metrics', 'they are always there', 'true|false'),
	harmless('backend-directory', 'onnxruntime is built in'),
	harmless('repoagent-directory', 'there are no agents'),
	harmless('cache-directory', 'the cache is built in'),
	harmless('host-policy', 'models run on processors'),
	harmless('pinned-memory-pool-byte-size', 'models run on processors', 'number'),
	harmless('cuda-memory-pool-byte-size', 'models run on processors'),
	harmless('min-supported-compute-capability', 'models run on processors', 'number'),
	harmless('buffer-manager-thread-count', 'bytes are copied where they are read', 'number'),
	harmless('enable-peer-access', 'models run on processors', 'true|false'),
	harmless('grpc-infer-allocation-pool-size', 'answers are written into one slab', 'number'),
	harmless('grpc-keepalive-time', 'gRPC keeps its own time', 'number'),
	harmless('grpc-keepalive-timeout', 'gRPC keeps its own time', 'number'),
];
