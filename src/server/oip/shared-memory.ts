/** Shared memory of the protocol: there is none to register, so no region is known. */
import { EngineError } from '../../errors.js';

export type MemoryKind = 'system' | 'cuda';

/** @param region undefined: all of them. @throws EngineError `INVALID_ARGUMENT` for a region, as none is registered */
export function sharedMemoryStatus(kind: MemoryKind, region: string | undefined): object[] {
	if (region === undefined) return [];
	throw new EngineError('INVALID_ARGUMENT', `Unable to find ${kind} shared memory region: '${region}'`);
}

/** @throws EngineError `UNSUPPORTED_FEATURE` */
export function registerSharedMemory(kind: MemoryKind): never {
	const instead = 'send tensors in binary form behind the JSON';
	throw new EngineError('UNSUPPORTED_FEATURE', `${kind} shared memory is not supported: ${instead}`);
}
