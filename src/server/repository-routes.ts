/** Administration of the model repository, on the main thread's port: synchronise, load, unload, set aliases. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { z } from 'zod';
import type { Repository, SyncReport } from '../control/repository.js';
import { isVersion } from '../control/versions.js';
import { EngineError } from '../errors.js';
import type { PageContext } from './context.js';
import { modelJson, refuse, refuseMethod } from './pages.js';
import { problemBody } from './problem-body.js';
import { readJson } from './read-json.js';
import { sendJson } from './reply.js';

export type AdminRepository = Pick<
	Repository,
	'syncOnRequest' | 'load' | 'unload' | 'setAliases' | 'counts' | 'problems' | 'onProblems' | 'close'
>;

export const repositoryLinks = {
	sync: 'POST /v1/repository/sync',
	load: 'POST /v1/models/{name}/load',
	unload: 'POST /v1/models/{name}/unload',
	aliases: 'PUT /v1/models/{name}/aliases',
};

const version = z.string().refine(isVersion, 'must be a version such as "1.2.0" or "3"');
const nothing = z.strictObject({});
const whichVersion = z.strictObject({ version });
const whichVersionOrHighest = z.strictObject({ version: version.optional() });
const aliases = z.record(z.string().regex(/^[\w.-]{1,128}$/, 'must be letters, digits, ".", "_" and "-"'), version);

export function serveRepository(app: TemplatedApp, context: PageContext, repository: AdminRepository): void {
	const routes = new Routes(app, context);
	routes.add('post', '/v1/repository/sync', nothing, async () => syncJson(await repository.syncOnRequest()));
	routes.add('post', '/v1/models/:name/load', whichVersionOrHighest, async (body, name) =>
		modelJson(await repository.load(name, body.version)),
	);
	routes.add('post', '/v1/models/:name/unload', whichVersion, async (body, name) => {
		await repository.unload(name, body.version);
		return { name, version: body.version };
	});
	routes.add('put', '/v1/models/:name/aliases', aliases, async (body, name) => {
		await repository.setAliases(name, body);
		return { name, aliases: body };
	});
}

/** What an I/O thread says to calls that are the main thread's. */
export function refuseRepositoryCalls(app: TemplatedApp, context: PageContext): void {
	for (const path of ['/v1/repository/sync', '/v1/models/:name/:change'])
		app.any(path, (response) => refuse(context, response, new EngineError('NOT_FOUND', 'models are changed over metrics_port alone')));
}

class Routes {
	readonly #app: TemplatedApp;
	readonly #context: PageContext;

	constructor(app: TemplatedApp, context: PageContext) {
		this.#app = app;
		this.#context = context;
	}

	/** @param change gets the checked body and the model's name; what it returns is the answer */
	add<T>(method: 'post' | 'put', path: string, schema: z.ZodType<T>, change: (body: T, name: string) => Promise<object>): void {
		this.#app[method](path, (response: HttpResponse, request: HttpRequest) => {
			const name = request.getParameter(0) ?? '';
			this.#answer(response, async (body) => change(checked(schema, body), decoded(name)));
		});
		this.#app.any(path, (response, request) => refuseMethod(this.#context, response, request, method.toUpperCase()));
	}

	#answer(response: HttpResponse, change: (body: unknown) => Promise<object>): void {
		let isGone = false;
		response.onAborted(() => {
			isGone = true;
		});
		const body = readJson(response, this.#context.traffic);
		body.then(change).then(
			(answer) => isGone || sendJson(response, 200, answer),
			(thrown) => isGone || refuse(this.#context, response, EngineError.from(thrown)),
		);
	}
}

function decoded(name: string): string {
	try {
		return decodeURIComponent(name);
	} catch {
		throw new EngineError('INVALID_ARGUMENT', `the path holds ${JSON.stringify(name)}, which is no percent-encoded name`);
	}
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
	const result = schema.safeParse(body);
	if (result.success) return result.data;
	const [issue] = result.error.issues;
	throw new EngineError('INVALID_ARGUMENT', [issue?.path.join('.'), issue?.message].filter(Boolean).join(': '));
}

function syncJson({ loaded, unloaded, aliases, problems }: SyncReport): object {
	return { loaded: loaded.map(modelJson), unloaded, aliases, problems: problems.map(problemBody) };
}
