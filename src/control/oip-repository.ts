/** What the Open Inference Protocol asks of a model repository; REST and gRPC are its two askers. */

/** As the protocol names them. */
export type ModelState = 'UNKNOWN' | 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';

/** One version of a model; one that was never loaded has a name alone. */
export interface IndexEntry {
	name: string;
	version?: string;
	state?: ModelState;
	/** Why it is not ready, for example `unloaded`; absent or empty when it is. */
	reason?: string;
}

/** What a load brings in place of what lies in the repository. */
export interface LoadParameters {
	/** A model configuration as JSON text. */
	config?: string;
	/** Files by their path in the model's folder, for example `1/model.onnx`. */
	files: Record<string, Uint8Array>;
}

export interface OipRepository {
	/** @param ready only what serves */
	index(options: { ready: boolean }): IndexEntry[];
	/** Resolves when the model serves; what served before goes on until then, and stays when the load fails. */
	load(name: string, parameters: LoadParameters): Promise<void>;
	unload(name: string, options: { unloadDependents: boolean }): Promise<void>;
	/**
	 * The model's configuration, completed: names in snake_case, every default written out.
	 * @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION`
	 */
	config(name: string, version?: string): object;
}
