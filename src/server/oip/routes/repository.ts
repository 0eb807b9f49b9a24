/** Models by name: what there is, how each is configured, which ones serve. All of it is the main thread's. */

import { EngineError } from '../../../errors.js';
import { readBytes } from '../../read-json.js';
import { asks, type OipCall, type OipRoute, takes, targetOf } from '../route.js';
import * as schemas from '../schemas.js';
import { configuredModel } from '../served-models.js';
import { ofModel } from './of-model.js';

const group = 'model-repository';

/** Triton has these paths once more with a repository's name, and refuses them so. */
const named: Omit<OipRoute, 'path'> = {
	method: 'post',
	group,
	summary: 'one repository of several cannot be named: 501',
	serve: asks(async () => {
		throw new EngineError('UNSUPPORTED_FEATURE', "'repository_name' specification is not supported");
	}),
};

export const repositoryRoutes: OipRoute[] = [
	...ofModel('/config', {
		method: 'get',
		group: 'model-config',
		summary: 'the configuration of a model, completed from its graph',
		answer: schemas.modelConfig,
		serve: asks(async (call) => call.context.askMain('config', configuredModel(call.context.models(), targetOf(call)))),
	}),
	{
		method: 'post',
		path: '/v2/repository/index',
		group,
		summary: 'every model of the repository and the state of its versions',
		body: { schema: schemas.indexRequest, example: { ready: true } },
		answer: schemas.index,
		serve: takes(schemas.indexRequest, ({ ready = false }, { context }) => context.askMain('index', { ready })),
	},
	{
		method: 'post',
		path: '/v2/repository/models/{model}/load',
		group,
		summary: 'loads a model, or loads it again; the old version serves until the new one is ready',
		body: { schema: schemas.loadRequest, example: { parameters: { config: '{"max_batch_size": 16}' } } },
		answer: schemas.loaded,
		serve: asks(load),
	},
	{
		method: 'post',
		path: '/v2/repository/models/{model}/unload',
		group,
		summary: 'takes a model out of service',
		body: { schema: schemas.unloadRequest, example: { parameters: { unload_dependents: false } } },
		answer: schemas.unloaded,
		serve: takes(schemas.unloadRequest, unload),
	},
	{ ...named, path: '/v2/repository/{repository}/index' },
	{ ...named, path: '/v2/repository/{repository}/models/{model}/load' },
	{ ...named, path: '/v2/repository/{repository}/models/{model}/unload' },
];

async function load({ context, response, path: { model: name = '' } }: OipCall): Promise<object> {
	const body = await readBytes(response, context.traffic, context.config.httpMaxInputSize);
	await context.askMain('loadJson', { name, body });
	return { name, load: true };
}

type Unload = (typeof schemas.unloadRequest)['_output'];

async function unload({ parameters }: Unload, { context, path: { model: name = '' } }: OipCall): Promise<object> {
	await context.askMain('unload', { name, unloadDependents: parameters?.unload_dependents ?? false });
	return { name, unload: true };
}
