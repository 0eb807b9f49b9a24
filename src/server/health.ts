/** Probes of an orchestrator: alive as long as the loops turn, ready when models serve and nobody drains. */
import type { TemplatedApp } from 'uWebSockets.js';
import { EngineError, errorBody } from '../errors.js';
import type { PageContext } from './context.js';
import { page } from './pages.js';
import { sendJson } from './reply.js';

export function serveHealth(app: TemplatedApp, context: PageContext): void {
	page(app, context, '/v2/health/live', (response, rest) => {
		const error = context.notAlive();
		if (error === undefined) sendJson(response, 200, { live: true }, rest);
		else sendJson(response, 503, { live: false, error }, rest);
	});
	page(app, context, '/v2/health/ready', (response, rest) => {
		const error = unreadiness(context);
		if (error === undefined) sendJson(response, 200, { ready: true }, rest);
		else sendJson(response, error.status, { ready: false, ...errorBody(error) }, rest);
	});
}

function unreadiness(context: PageContext): EngineError | undefined {
	if (context.isDraining) return new EngineError('DRAINING', 'this server is shutting down');
	const reason = context.notReady();
	return reason === undefined ? undefined : new EngineError('MODEL_NOT_READY', reason);
}
