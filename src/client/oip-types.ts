/** What callers of `OipClient` send and get. */
import type { BatchStats, CountedTime } from '../native/addon.js';
import type { Tensor } from './tensors.js';

/** Of a request, or of an answer: names of the protocol (`timeout` in µs, `sequence_id`, …) or of your own. */
export type OipParameters = Readonly<Record<string, string | number | bigint | boolean>>;

export interface OipInferRequest {
	/** One tensor for each input of the model. */
	inputs: readonly Tensor[];
	/** What to compute; default: every output. */
	outputs?: readonly (string | WantedOutput)[];
	/** Comes back in the answer. */
	id?: string;
	parameters?: OipParameters;
}

export interface WantedOutput {
	name: string;
	/** So many best elements in place of the tensor, as BYTES: `value:index`, with labels `value:index:label`. */
	classification?: number;
}

export interface OipInferAnswer {
	/** What was sent. */
	id: string | undefined;
	model: string;
	version: string;
	parameters: OipParameters;
	/** In the order asked for, else that of the model. */
	outputs: Tensor[];
}

export interface ServerMetadata {
	name: string;
	version: string;
	extensions: string[];
}

export interface TensorMetadata {
	name: string;
	datatype: string;
	/** -1: any size, from request to request. */
	shape: number[];
}

export interface ModelMetadata {
	name: string;
	versions: string[];
	platform: string;
	inputs: TensorMetadata[];
	outputs: TensorMetadata[];
}

/** What a version has done since it was loaded. */
export interface ModelStatistics {
	name: string;
	version: string;
	/** ms since 1970; 0 = never. */
	lastInference: number;
	/** Rows of successful requests that were computed. */
	inferenceCount: number;
	/** Runs of the graph. */
	executionCount: number;
	success: CountedTime;
	fail: CountedTime;
	queue: CountedTime;
	computeInput: CountedTime;
	computeInfer: CountedTime;
	computeOutput: CountedTime;
	cacheHit: CountedTime;
	cacheMiss: CountedTime;
	batches: BatchStats[];
}

export interface RepositoryEntry {
	name: string;
	/** Absent for a model that was never loaded. */
	version?: string;
	state?: 'UNKNOWN' | 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';
	/** Why it is not ready. */
	reason?: string;
}

export interface LoadOptions {
	/** A model configuration in place of the repository's. */
	config?: object;
	/** Files in place of the repository's, by their path in the model's folder, for example `1/model.onnx`; they need a `config`. */
	files?: Readonly<Record<string, Uint8Array>>;
}

export interface UnloadOptions {
	unloadDependents?: boolean;
}
