/** Calls that ask what the server and its models are, how they stand and what they have done. */
import { EngineError } from '../../errors.js';
import { readiness } from '../health.js';
import { checked } from '../oip/checked.js';
import { modelMetadata, serverMetadata } from '../oip/metadata.js';
import { logChanges } from '../oip/schemas.js';
import { isServed } from '../oip/served-models.js';
import { type MemoryKind, registerSharedMemory, sharedMemoryStatus } from '../oip/shared-memory.js';
import { modelStatistics } from '../oip/statistics.js';
import { changeTraceSettings } from '../oip/trace-settings.js';
import type { GrpcContext } from './context.js';
import type { ServiceRegistrar } from './services.js';

/** A model as messages name it; an empty version is the one that serves. */
export interface NamedModel {
	name: string;
	version: string;
}

export const targetOf = ({ name, version }: NamedModel): string => (version === '' ? name : `${name}@${version}`);

export function serveObservation(service: ServiceRegistrar, context: GrpcContext): void {
	service.unary('ServerLive', () => ({ live: true }));
	service.unary('ServerReady', () => ({ ready: readiness(context).status === 200 }));
	service.unary<NamedModel>('ModelReady', (model) => modelReady(context, model));
	service.unary('ServerMetadata', () => serverMetadata(context.config.id, context.version));
	service.unary<NamedModel>('ModelMetadata', (model) => modelMetadata(context.models(), targetOf(model)));
	service.unary<NamedModel>('ModelStatistics', (model) =>
		modelStatistics(context.stats(), model.name === '' ? undefined : targetOf(model)),
	);
	service.unary<TraceRequest>('TraceSetting', ({ settings }) => traceSettings(settings));
	service.unary<LogRequest>('LogSettings', ({ settings }) => logSettings(context, settings));
	serveSharedMemory(service, 'System', 'system');
	serveSharedMemory(service, 'Cuda', 'cuda');
}

/** A model that is not there is not ready: to Triton's clients that is an answer, no error. @throws EngineError `DRAINING` */
function modelReady(context: GrpcContext, model: NamedModel): { ready: boolean } {
	if (context.isDraining) throw new EngineError('DRAINING', 'this server is shutting down');
	return { ready: isServed(context.models(), targetOf(model)) };
}

interface TraceRequest {
	/** No value: as the server has it. */
	settings: Record<string, { value: string[] }>;
}

function traceSettings(asked: TraceRequest['settings']): object {
	const changes = Object.entries(asked).filter(([, { value }]) => value.length > 0);
	const settings = changeTraceSettings(Object.fromEntries(changes.map(([name, { value }]) => [name, value])));
	return { settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, { value: [value].flat() }])) };
}

interface LogRequest {
	/** No choice: as it is. */
	settings: Record<string, { bool_param?: boolean; uint32_param?: number; string_param?: string }>;
}

/** @throws EngineError `INVALID_ARGUMENT` | `UNSUPPORTED_FEATURE` */
async function logSettings({ askMain, logging }: GrpcContext, asked: LogRequest['settings']): Promise<object> {
	const choices = Object.entries(asked).map(([name, choice]) => [name, Object.values(choice)[0]] as const);
	const changes = choices.filter(([, value]) => value !== undefined);
	const settings =
		changes.length === 0 ? logging.settings : await askMain('changeLogging', checked(logChanges, Object.fromEntries(changes)));
	return { settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, choiceOf(value)])) };
}

function choiceOf(value: boolean | number | string): object {
	if (typeof value === 'boolean') return { bool_param: value };
	return typeof value === 'number' ? { uint32_param: value } : { string_param: value };
}

function serveSharedMemory(service: ServiceRegistrar, prefix: 'System' | 'Cuda', kind: MemoryKind): void {
	service.unary<{ name: string }>(`${prefix}SharedMemoryStatus`, ({ name }) => {
		sharedMemoryStatus(kind, name === '' ? undefined : name);
		return { regions: {} };
	});
	service.unary(`${prefix}SharedMemoryRegister`, () => registerSharedMemory(kind));
	// Nothing is registered: nothing is left to do.
	service.unary(`${prefix}SharedMemoryUnregister`, () => ({}));
}
