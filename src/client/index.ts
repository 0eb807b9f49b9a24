/** What `rankd/client` exports. */
export { type CodeName, EngineError, type ErrorCode } from '../errors.js';
export { RankdClient } from './client.js';
export type { ConnectionState } from './connection.js';
export { OipClient } from './oip-client.js';
export type * from './oip-types.js';
export type { ClientOptions, HedgeOptions, OipClientOptions, RetryOptions } from './options.js';
export { type DataOf, type Datatype, dataOf, type Tensor, type TensorData, type TensorOf } from './tensors.js';
export type * from './types.js';
