/** What `rankd/client` exports. */
export { type CodeName, EngineError, type ErrorCode } from '../errors.js';
export { type ClientOptions, RankdClient } from './client.js';
export type { Datatype, Tensor, TensorData } from './tensors.js';
export type * from './types.js';
