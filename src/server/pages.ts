/** Everything a browser or a curious curl finds beside the operations: the front page, the models, and what is not there. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import { Codec, type ModelInfo } from '../native/addon.js';
import type { PageContext } from './context.js';
import { type Reply, send, sendError, sendJson } from './reply.js';

/** Where work is taken. */
export const operationLinks = {
	recommend: 'POST /v1/recommend/{pipeline}',
	rank: 'POST /v1/rank/{pipeline}',
	similar: 'POST /v1/similar/{pipeline}',
	score: 'POST /v1/score/{model}',
	infer: 'POST /v1/infer/{model}',
	rpc: 'WebSocket /rpc',
};

const pageLinks = { models: '/v1/models', live: '/v2/health/live', ready: '/v2/health/ready', metrics: '/metrics' };

/** Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @param links what the front page shows beside the pages themselves */
export function servePages(app: TemplatedApp, context: PageContext, links: Readonly<Record<string, string>> = {}): void {
	page(app, context, '/', (response, rest) => sendJson(response, 200, frontPage(context, { ...links, ...pageLinks }), rest));
	page(app, context, '/v1/models', (response, rest) => sendJson(response, 200, { models: context.stats().models.map(modelJson) }, rest));
	page(app, context, '/metrics', (response, rest) => sendMetrics(context, response, rest));
}

/** Registered last: what no other route has taken. */
export function serveNotFound(app: TemplatedApp, context: PageContext): void {
	app.any('/*', (response, request) => {
		const error = new EngineError('NOT_FOUND', `there is no ${request.getUrl()} here; GET / lists what there is`);
		refuse(context, response, error, { withoutBody: isHead(request) });
	});
}

/** A path that answers GET and HEAD and refuses the rest. */
export function page(
	app: TemplatedApp,
	context: PageContext,
	path: string,
	answer: (response: HttpResponse, rest: Partial<Reply>) => void,
): void {
	app.get(path, (response) => answer(response, {}));
	app.head(path, (response) => answer(response, { withoutBody: true }));
	app.any(path, (response, request) => refuseMethod(context, response, request, 'GET, HEAD'));
}

export function refuseMethod(context: PageContext, response: HttpResponse, request: HttpRequest, allowed: string): void {
	const error = new EngineError('METHOD_NOT_ALLOWED', `this path takes ${allowed}`);
	refuse(context, response, error, { headers: [['Allow', allowed]], withoutBody: isHead(request) });
}

/** A body after the answer to HEAD would be read as the next answer. */
const isHead = (request: HttpRequest): boolean => request.getMethod() === 'head';

export function refuse(context: PageContext, response: HttpResponse, error: EngineError, rest: Partial<Reply> = {}): void {
	context.traffic.addError(error.code);
	sendError(response, error, Codec.json, undefined, rest);
}

function frontPage({ config, version, stats }: PageContext, links: object): object {
	return { name: config.id, version, models: stats().models.map((model) => `${model.name}@${model.version}`), links };
}

function modelJson({ goldenPassed, loadMs, precomputedBytes, ...model }: ModelInfo): object {
	return { ...model, precomputed_bytes: precomputedBytes, golden_passed: goldenPassed, load_ms: loadMs };
}

function sendMetrics({ metrics, log }: PageContext, response: HttpResponse, rest: Partial<Reply>): void {
	let isOver = false;
	response.onAborted(() => {
		isOver = true;
	});
	metrics.render().then(
		(body) => isOver || send(response, { status: 200, contentType: METRICS_TYPE, body, ...rest }),
		(cause) => {
			log.error({ err: cause }, 'metrics could not be read');
			if (!isOver) sendError(response, EngineError.from(cause), Codec.json);
		},
	);
}
