/** Probes of an orchestrator: alive as long as the loops turn, ready when models serve and nobody drains. */
import type { TemplatedApp } from 'uWebSockets.js';
import { EngineError, errorBody } from '../errors.js';
import type { PageContext } from './context.js';
import { page } from './pages.js';
import { sendJson } from './reply.js';

export interface Probe {
	status: number;
	body: object;
}

/** The probes of the main thread's port; `oip/` has those of the others. */
export function serveHealth(app: TemplatedApp, context: PageContext): void {
	for (const [path, probe] of [
		['/v2/health/live', liveness],
		['/v2/health/ready', readiness],
	] as const)
		page(app, context, path, (response, rest) => {
			const { status, body } = probe(context);
			sendJson(response, status, body, rest);
		});
}

export function liveness({ notAlive }: Pick<PageContext, 'notAlive'>): Probe {
	const error = notAlive();
	return error === undefined ? { status: 200, body: { live: true } } : { status: 503, body: { live: false, error } };
}

type Readiness = Pick<PageContext, 'config' | 'models' | 'problems' | 'isDraining' | 'isStarting'>;

export function readiness(context: Readiness): Probe {
	const error = unreadiness(context);
	return error === undefined
		? { status: 200, body: { ready: true } }
		: { status: error.status, body: { ready: false, ...errorBody(error) } };
}

function unreadiness(context: Readiness): EngineError | undefined {
	const { modelControl, strictReadiness } = context.config;
	if (context.isDraining) return new EngineError('DRAINING', 'this server is shutting down');
	if (context.isStarting) return new EngineError('MODEL_NOT_READY', 'this server does not listen on all of its addresses yet');
	// Under explicit control a server is asked for its models once it is ready.
	if (context.models().length === 0 && modelControl !== 'explicit') return new EngineError('MODEL_NOT_READY', 'no model is loaded');
	const problems = strictReadiness ? context.problems() : [];
	const [first] = problems;
	if (first === undefined) return undefined;
	const message = `${problems.length} of the repository's entries do not serve, first ${first.path}: ${first.error}`;
	return new EngineError('MODEL_NOT_READY', message);
}
