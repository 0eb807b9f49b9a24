/** What the server and its models are. */
import { modelMetadata, serverMetadata } from '../metadata.js';
import { type OipRoute, targetOf, tells } from '../route.js';
import * as schemas from '../schemas.js';
import { ofModel } from './of-model.js';

export const metadataRoutes: OipRoute[] = [
	{
		method: 'get',
		path: '/v2',
		group: 'metadata',
		summary: 'name, version and extensions of the server',
		answer: schemas.serverMetadata,
		serve: tells(({ context }) => serverMetadata(context.config.id, context.version)),
	},
	{
		method: 'get',
		path: '/v2/models',
		group: 'metadata',
		summary: 'names of the models in service',
		answer: schemas.modelNames,
		serve: tells(({ context }) => ({ models: [...new Set(context.models().map(({ name }) => name))] })),
	},
	...ofModel('', {
		method: 'get',
		group: 'metadata',
		summary: 'inputs and outputs of a model',
		answer: schemas.modelMetadata,
		serve: tells((call) => modelMetadata(call.context.models(), targetOf(call))),
	}),
];
