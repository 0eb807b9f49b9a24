/** Everything a browser or a curious curl finds beside the operations: the front page, the models, and what is not there. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import { Codec, type ModelInfo } from '../native/addon.js';
import type { PageContext } from './context.js';
import { type Reply, send, sendError, sendJson } from './reply.js';
import { sendSlow } from './slow-page.js';

/** Where work is taken. */
export const operationLinks = {
	recommend: 'POST /v1/recommend/{pipeline}',
	rank: 'POST /v1/rank/{pipeline}',
	similar: 'POST /v1/similar/{pipeline}',
	score: 'POST /v1/score/{model}',
	infer: 'POST /v1/infer/{model}',
	oip: '/v2/docs',
	rpc: 'WebSocket /rpc',
};

const pageLinks = { models: '/v1/models', live: '/v2/health/live', ready: '/v2/health/ready', metrics: '/metrics', slow: '/debug/slow' };

/** Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @param links what the front page shows beside the pages themselves */
export function servePages(app: TemplatedApp, context: PageContext, links: Readonly<Record<string, string>> = {}): void {
	page(app, context, '/', (response, rest) => sendJson(response, 200, frontPage(context, { ...links, ...pageLinks }), rest));
	page(app, context, '/v1/models', (response, rest) => sendJson(response, 200, modelsPage(context), rest));
	page(app, context, '/metrics', (response, rest) => sendMetrics(context, response, rest));
	page(app, context, '/debug/slow', (response, rest, request) => sendSlow(context, response, rest, request));
}

/**
 * Registered last: what no other route has taken.
 * @param take asked first: whether it has answered a call
 */
export function serveNotFound(
	app: TemplatedApp,
	context: PageContext,
	take: (response: HttpResponse, request: HttpRequest) => boolean = () => false,
): void {
	app.any('/*', (response, request) => {
		if (take(response, request)) return;
		const error = new EngineError('NOT_FOUND', `there is no ${request.getUrl()} here; GET / lists what there is`);
		refuse(context, response, error, { withoutBody: isHead(request) });
	});
}

/** A path that answers GET and HEAD and refuses the rest. */
export function page(
	app: TemplatedApp,
	context: PageContext,
	path: string,
	answer: (response: HttpResponse, rest: Partial<Reply>, request: HttpRequest) => void,
): void {
	app.get(path, (response, request) => answer(response, {}, request));
	app.head(path, (response, request) => answer(response, { withoutBody: true }, request));
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

function frontPage({ config, version, models }: PageContext, links: object): object {
	return { name: config.id, version, models: models().map((model) => `${model.name}@${model.version}`), links };
}

const modelsPage = ({ models, problems }: PageContext): object => ({ models: models().map(modelJson), problems: problems() });

export function modelJson({
	goldenPassed,
	warmedRequests,
	warmedFailures,
	loadMs,
	precomputedBytes,
	batchUs,
	waitUs,
	maxBatchSize,
	whyNotBatched,
	...model
}: ModelInfo): object {
	// Without bound a wait is infinite, which JSON writes as null.
	return {
		...model,
		max_batch_size: maxBatchSize,
		why_not_batched: whyNotBatched,
		batch_us: batchUs,
		wait_us: waitUs,
		precomputed_bytes: precomputedBytes,
		golden_passed: goldenPassed,
		warmed_requests: warmedRequests,
		warmed_failures: warmedFailures,
		load_ms: loadMs,
	};
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
