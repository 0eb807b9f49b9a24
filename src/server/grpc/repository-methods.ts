/** Calls about models by name, which the main thread answers: what there is, how each is configured, which ones serve. */
import type { LoadParameters } from '../../control/oip-repository.js';
import { EngineError } from '../../errors.js';
import { filePathOf } from '../oip/load-body.js';
import { configuredModel } from '../oip/served-models.js';
import type { GrpcContext } from './context.js';
import { type NamedModel, targetOf } from './observing-methods.js';
import type { ServiceRegistrar } from './services.js';

interface Parameter {
	bool_param?: boolean;
	string_param?: string;
	bytes_param?: Uint8Array;
}

interface ChangeRequest {
	/** Of a client of KServe, the model's name. */
	repository_name: string;
	model_name: string;
	parameters: Record<string, Parameter>;
}

interface IndexRequest {
	repository_name: string;
	ready: boolean;
}

export function serveRepository(service: ServiceRegistrar, { askMain, models }: GrpcContext): void {
	service.unary<NamedModel>('ModelConfig', async (model) => ({
		config: await askMain('config', configuredModel(models(), targetOf(model))),
	}));
	service.unary<IndexRequest>('RepositoryIndex', async ({ repository_name, ready }) => {
		if (repository_name !== '') throw repositoryNamed();
		return { models: await askMain('index', { ready }) };
	});
	service.unary<ChangeRequest>(
		'RepositoryModelLoad',
		async (request) => {
			const name = nameOf(request);
			await askMain('load', { name, parameters: loadParametersOf(request.parameters) });
			return { model_name: name, isLoaded: true };
		},
		{ bringsFiles: true },
	);
	service.unary<ChangeRequest>('RepositoryModelUnload', async (request) => {
		const name = nameOf(request);
		await askMain('unload', { name, unloadDependents: request.parameters['unload_dependents']?.bool_param ?? false });
		return { model_name: name, isUnloaded: true };
	});
}

/** @throws EngineError `UNSUPPORTED_FEATURE` */
function nameOf({ repository_name, model_name }: ChangeRequest): string {
	if (model_name === '') return repository_name;
	if (repository_name !== '') throw repositoryNamed();
	return model_name;
}

const repositoryNamed = (): EngineError => new EngineError('UNSUPPORTED_FEATURE', "'repository_name' specification is not supported");

/** @throws EngineError `INVALID_ARGUMENT` */
function loadParametersOf(parameters: Record<string, Parameter>): LoadParameters {
	const { config, ...rest } = parameters;
	const files = Object.entries(rest).map(([name, { bytes_param }]) => [filePathOf(name), bytesOf(name, bytes_param)] as const);
	if (config !== undefined && config.string_param === undefined) throw new EngineError('INVALID_ARGUMENT', 'config must be a string_param');
	return { ...(config?.string_param !== undefined && { config: config.string_param }), files: Object.fromEntries(files) };
}

/** A copy: the message around it stays on this thread. */
function bytesOf(name: string, bytes: Uint8Array | undefined): Uint8Array {
	if (bytes === undefined) throw new EngineError('INVALID_ARGUMENT', `${name} must be a bytes_param`);
	return Uint8Array.from(bytes);
}
