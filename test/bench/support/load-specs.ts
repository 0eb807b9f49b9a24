/** Specs for the load generator in its own tests: few connections, no warm-up, a corpus that tells its places. */
import type { LoadSpec } from '../../../bench/harness/load.js';
import { corpusOf, frames } from './run-generator.js';

const rpc = (address: string): LoadSpec['target'] => ({ transport: 'rpc', addresses: [address], path: '/rpc' });
const http = (address: string): LoadSpec['target'] => ({
	transport: 'http',
	addresses: [address],
	path: '/v1/score/x',
	headers: { 'content-type': 'application/json' },
});
export const rpcSpec = (address: string, load: LoadSpec['load'], more: Partial<LoadSpec> = {}): LoadSpec => ({
	target: rpc(address),
	corpus: corpusOf(frames(7)),
	connections: 2,
	warmup_seconds: 0,
	load,
	...more,
});
export const httpSpec = (address: string, load: LoadSpec['load'], more: Partial<LoadSpec> = {}): LoadSpec => ({
	...rpcSpec(address, load, more),
	target: http(address),
	corpus: corpusOf([Buffer.from('{}'), Buffer.alloc(0)]),
});
