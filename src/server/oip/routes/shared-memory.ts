/** Calls for shared memory, which is not supported: what asks gets an empty list, what registers is told what to do instead. */
import { asks, type OipRoute, tells } from '../route.js';
import * as schemas from '../schemas.js';
import { type MemoryKind, registerSharedMemory, sharedMemoryStatus } from '../shared-memory.js';

export const sharedMemoryRoutes: OipRoute[] = [...routesOf('system'), ...routesOf('cuda')];

function routesOf(kind: MemoryKind): OipRoute[] {
	const base = `/v2/${kind}sharedmemory`;
	const status = {
		method: 'get',
		group: 'shared-memory',
		summary: `regions of ${kind} shared memory: none is ever registered`,
		answer: schemas.noRegions,
		serve: tells(({ path }) => sharedMemoryStatus(kind, path['region'])),
	} as const;
	const change = { method: 'post', group: 'shared-memory', answer: schemas.nothing } as const;
	const unregister = { ...change, summary: 'nothing is registered, so nothing is left to do', serve: asks(async () => ({})) };
	return [
		{ ...status, path: `${base}/status` },
		{ ...status, path: `${base}/region/{region}/status` },
		{
			...change,
			path: `${base}/region/{region}/register`,
			summary: `${kind} shared memory is not supported: 501`,
			serve: asks(async () => registerSharedMemory(kind)),
		},
		{ ...unregister, path: `${base}/unregister` },
		{ ...unregister, path: `${base}/region/{region}/unregister` },
	];
}
