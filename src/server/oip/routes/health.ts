/** Probes: the server's, and one per model. */
import { EngineError } from '../../../errors.js';
import { liveness, readiness } from '../../health.js';
import { sendJson } from '../../reply.js';
import { type OipCall, type OipRoute, targetOf, tells } from '../route.js';
import * as schemas from '../schemas.js';
import { modelAt } from '../served-models.js';
import { ofModel } from './of-model.js';

export const healthRoutes: OipRoute[] = [
	{
		method: 'get',
		path: '/v2/health/live',
		group: 'health',
		summary: 'whether the process turns',
		answer: schemas.live,
		serve: ({ context, response, rest }) => {
			const { status, body } = liveness(context);
			sendJson(response, status, body, rest);
		},
	},
	{
		method: 'get',
		path: '/v2/health/ready',
		group: 'health',
		summary: 'whether models serve and nobody drains; 503 until then',
		answer: schemas.ready,
		serve: ({ context, response, rest }) => {
			const { status, body } = readiness(context);
			sendJson(response, status, body, rest);
		},
	},
	...ofModel('/ready', {
		method: 'get',
		group: 'health',
		summary: 'whether the model serves',
		answer: schemas.modelReady,
		serve: tells(modelReady),
	}),
];

function modelReady(call: OipCall): object {
	const { name } = modelAt(call.context.models(), targetOf(call));
	if (call.context.isDraining) throw new EngineError('DRAINING', 'this server is shutting down');
	return { name, ready: true };
}
