/** The HTTP mirrors of the operations: `POST /v1/recommend/{pipeline}` and its kin, JSON or msgpack. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import { Operation, type OperationName } from '../native/addon.js';
import { codecOf, deadlineOf, lengthOf, requestIdOf, targetOf, traceparentOf } from './call-envelope.js';
import type { Context } from './context.js';
import { HttpCall } from './http-call.js';
import { refuseMethod } from './pages.js';

/** Each operation's path and what its one parameter is called. */
export const endpoints: readonly { operation: OperationName; path: string; parameter: string }[] = [
	{ operation: 'recommend', path: '/v1/recommend/:pipeline', parameter: 'pipeline' },
	{ operation: 'rank', path: '/v1/rank/:pipeline', parameter: 'pipeline' },
	{ operation: 'similar', path: '/v1/similar/:pipeline', parameter: 'pipeline' },
	{ operation: 'score', path: '/v1/score/:model', parameter: 'model' },
	{ operation: 'infer', path: '/v1/infer/:model', parameter: 'model' },
	{ operation: 'feedback', path: '/v1/feedback/:pipeline', parameter: 'pipeline' },
];

export function serveOperations(app: TemplatedApp, context: Context): void {
	for (const { operation, path, parameter } of endpoints) {
		app.post(path, (response, request) => answer(context, response, request, Operation[operation], parameter));
		app.any(path, (response, request) => refuseMethod(context, response, request, 'POST'));
	}
}

function answer(context: Context, response: HttpResponse, request: HttpRequest, operation: Operation, parameter: string): void {
	const call = new HttpCall(context, response, codecOf(request));
	try {
		const requestId = requestIdOf(request);
		const deadlineMs = deadlineOf(request);
		const envelope = { operation, target: targetOf(request, parameter), deadlineMs, requestId, traceparent: traceparentOf(request) };
		call.read(envelope, lengthOf(request));
	} catch (thrown) {
		call.refuse(EngineError.from(thrown));
	}
}
