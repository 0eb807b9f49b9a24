/** A repository without files: answers as it is told, and writes down what it was asked. */

import type { IndexEntry, LoadParameters, OipRepository } from '../../src/control/oip-repository.js';
import type { EngineError } from '../../src/errors.js';

export class FakeRepository implements OipRepository {
	/** Every call with its arguments. */
	readonly calls: unknown[][] = [];
	entries: IndexEntry[] = [{ name: 'simple', version: '1', state: 'READY' }, { name: 'films' }];
	/** What every call but `index` throws. */
	refusal: EngineError | undefined;

	index(options: { ready: boolean }): IndexEntry[] {
		this.calls.push(['index', options]);
		return this.entries;
	}

	async load(name: string, parameters: LoadParameters): Promise<void> {
		this.#note('load', name, parameters);
	}

	async unload(name: string, options: { unloadDependents: boolean }): Promise<void> {
		this.#note('unload', name, options);
	}

	config(name: string, version?: string): object {
		this.#note('config', name, version);
		return { name, platform: 'onnxruntime_onnx', max_batch_size: 8 };
	}

	#note(...call: unknown[]): void {
		this.calls.push(call);
		if (this.refusal !== undefined) throw this.refusal;
	}
}
