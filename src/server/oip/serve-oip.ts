/** The Open Inference Protocol on an app: every path under /v2, also behind a base path that a proxy left in front of it. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { EngineError } from '../../errors.js';
import type { Context } from '../context.js';
import type { Reply } from '../reply.js';
import { refuseOip } from './refuse-oip.js';
import { Restrictions } from './restrictions.js';
import { type Endpoint, type Found, RouteTree } from './route-tree.js';
import { oipRoutes } from './routes/index.js';

/** @returns what takes a call that has `v2` further behind in its path, and says whether it did */
export function serveOip(app: TemplatedApp, context: Context): (response: HttpResponse, request: HttpRequest) => boolean {
	const tree = new RouteTree(oipRoutes);
	const restrictions = new Restrictions(context.config.httpRestrictedApi);
	const serve = (response: HttpResponse, request: HttpRequest, path: string) =>
		new Dispatch({ context, response, request }).serve(tree.find(path), restrictions);

	app.any('/v2', (response, request) => serve(response, request, '/v2'));
	app.any('/v2/*', (response, request) => serve(response, request, request.getUrl()));
	return (response, request) => {
		const path = withoutBase(request.getUrl());
		if (path !== undefined) serve(response, request, path);
		return path !== undefined;
	};
}

/** @returns from `/v2` on, or undefined when there is no such segment */
function withoutBase(url: string): string | undefined {
	const at = `${url}/`.indexOf('/v2/');
	return at < 0 ? undefined : url.slice(at);
}

class Dispatch {
	readonly #call: { context: Context; response: HttpResponse; request: HttpRequest };
	readonly #rest: Partial<Reply>;

	constructor(call: { context: Context; response: HttpResponse; request: HttpRequest }) {
		this.#call = call;
		this.#rest = { close: call.context.isDraining, withoutBody: call.request.getMethod() === 'head' };
	}

	serve(found: Found | undefined, restrictions: Restrictions): void {
		try {
			if (found === undefined) throw new EngineError('NOT_FOUND', 'Not Found');
			const endpoint = this.#endpointOf(found);
			if (endpoint === undefined) return this.#refuseMethod(found);
			restrictions.check(endpoint.route.group, this.#call.request);
			endpoint.route.serve({ ...this.#call, rest: this.#rest, path: parametersOf(endpoint, found.values) });
		} catch (thrown) {
			this.#refuse(EngineError.from(thrown));
		}
	}

	#endpointOf({ endpoints }: Found): Endpoint | undefined {
		const method = this.#call.request.getMethod();
		return endpoints.find(({ route }) => route.method === (method === 'head' ? 'get' : method));
	}

	#refuseMethod({ endpoints }: Found): void {
		const allowed = endpoints.map(({ route: { method } }) => (method === 'get' ? 'GET, HEAD' : 'POST')).join(', ');
		this.#refuse(new EngineError('METHOD_NOT_ALLOWED', 'Method Not Allowed'), [['Allow', allowed]]);
	}

	#refuse(error: EngineError, headers: Reply['headers'] = []): void {
		refuseOip(this.#call.context, this.#call.response, error, { ...this.#rest, headers });
	}
}

/** @throws EngineError `INVALID_ARGUMENT` when a segment is no percent-encoded text */
function parametersOf({ parameters }: Endpoint, values: readonly string[]): Record<string, string> {
	const decodedValues: Record<string, string> = {};
	for (const [at, name] of parameters.entries()) decodedValues[name] = decoded(name, values[at] ?? '');
	return decodedValues;
}

function decoded(name: string, segment: string): string {
	try {
		return segment.includes('%') ? decodeURIComponent(segment) : segment;
	} catch {
		throw new EngineError('INVALID_ARGUMENT', `the path's {${name}} is not percent-encoded UTF-8: ${JSON.stringify(segment)}`);
	}
}
