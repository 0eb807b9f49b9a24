/** What the protocol tells about the server and its models, in the shapes that REST writes. */
import type { ModelInfo, TensorInfo } from '../../native/addon.js';
import { modelAt, partsOf, versionsOf } from './served-models.js';

/** Parts of the protocol beyond its core, in Triton's words; only what is done here. */
const extensions = [
	'classification',
	'model_repository',
	'schedule_policy',
	'model_configuration',
	'binary_tensor_data',
	'parameters',
	'statistics',
	'logging',
] as const;

export interface ServerMetadata {
	name: string;
	version: string;
	extensions: string[];
}

export const serverMetadata = (name: string, version: string): ServerMetadata => ({ name, version, extensions: [...extensions] });

export interface ModelMetadata {
	name: string;
	versions: string[];
	platform: string;
	inputs: TensorInfo[];
	outputs: TensorInfo[];
}

/** What serves models that answer `infer`; a ranking plan without it is nobody's but ours. */
const platformOf = ({ operations }: ModelInfo): string => (operations.includes('infer') ? 'onnxruntime_onnx' : 'rankd');

/** @param target the versions are all in service, or the one it names. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
export function modelMetadata(models: readonly ModelInfo[], target: string): ModelMetadata {
	const model = modelAt(models, target);
	const { name, inputs, outputs } = model;
	const ready = partsOf(target).selector === undefined ? versionsOf(models, name) : [model];
	return { name, versions: ready.map(({ version }) => version), platform: platformOf(model), inputs, outputs };
}
