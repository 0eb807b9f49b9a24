/** The one call that does work. */
import { EngineError } from '../../../errors.js';
import { inferExample } from '../examples.js';
import { InferCall } from '../infer-call.js';
import { type OipRoute, targetOf } from '../route.js';
import * as schemas from '../schemas.js';
import { ofModel } from './of-model.js';

export const inferenceRoutes: OipRoute[] = ofModel('/infer', {
	method: 'post',
	group: 'inference',
	summary: 'runs a model on tensors, written in JSON or in binary form behind it',
	body: { schema: schemas.inferRequest, example: inferExample },
	answer: schemas.inferResponse,
	isBinary: true,
	serve: (call) => {
		const infer = new InferCall(call.context, call.response);
		try {
			infer.read(call.request, targetOf(call));
		} catch (thrown) {
			infer.refuse(EngineError.from(thrown));
		}
	},
});
