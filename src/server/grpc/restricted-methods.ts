/** Which of the protocol's groups a method belongs to, so that what a header protects under /v2 is no more open over gRPC. */
import type { Metadata } from '@grpc/grpc-js';
import type { ApiGroup, RestrictedApi } from '../../config/restricted-api.js';
import { Restrictions } from '../oip/restrictions.js';
import type { Check } from './services.js';

const methods: Readonly<Record<ApiGroup, readonly string[]>> = {
	health: ['ServerLive', 'ServerReady', 'ModelReady', 'Check', 'Watch'],
	metadata: ['ServerMetadata', 'ModelMetadata'],
	inference: ['ModelInfer', 'ModelStreamInfer'],
	'shared-memory': [
		...['SystemSharedMemoryStatus', 'SystemSharedMemoryRegister', 'SystemSharedMemoryUnregister'],
		...['CudaSharedMemoryStatus', 'CudaSharedMemoryRegister', 'CudaSharedMemoryUnregister'],
	],
	'model-config': ['ModelConfig'],
	'model-repository': ['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload'],
	statistics: ['ModelStatistics'],
	trace: ['TraceSetting'],
	logging: ['LogSettings'],
};

/** What Triton's clients put before the name of a header. */
const TRITON_PREFIX = 'triton-grpc-protocol-';

/** @returns what throws EngineError `RESTRICTED` for callers without the header */
export function restrictionCheck(restricted: readonly RestrictedApi[]): Check {
	const restrictions = new Restrictions(restricted);
	const groups = new Map(Object.entries(methods).flatMap(([group, names]) => names.map((name) => [name, group as ApiGroup] as const)));
	return (method, { metadata }) => restrictions.check(groups.get(method), { getHeader: (header) => headerOf(metadata, header) });
}

function headerOf(metadata: Metadata, header: string): string {
	const headers = metadata.getMap();
	return String(headers[header] ?? headers[TRITON_PREFIX + header] ?? '');
}
