/** Requests whose callers trace them become log lines, so that a trace's owner finds what happened here. */
import type { Logger } from '../log.js';
import type { TracedRequest } from '../native/addon.js';

/** How often the engine is asked; it keeps 256 per thread in the meantime. */
const INTERVAL_MS = 1000;

/**
 * Begins to ask.
 * @returns what asks a last time and stops
 */
export function logTraces(takeTraces: () => TracedRequest[], log: Logger): () => void {
	const tell = () => {
		for (const request of takeTraces()) log.info(traceJson(request), 'request traced');
	};
	const timer = setInterval(tell, INTERVAL_MS).unref();
	return () => {
		clearInterval(timer);
		tell();
	};
}

function traceJson({ traceId, parentId, requestId, model, version, operation, code, queueUs, stageUs, totalUs }: TracedRequest): object {
	const request = { request_id: requestId, model, version, operation, code };
	return { trace_id: traceId, parent_id: parentId, ...request, queue_us: queueUs, stages_us: stageUs, total_us: totalUs };
}
