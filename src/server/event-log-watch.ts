/** A disk that takes no more events, or takes them again, becomes a log line: callers see it before the operator does. */
import type { Logger } from '../log.js';
import type { EventLogStats } from '../native/addon.js';

/** As often as the engine tries the disk again. */
const INTERVAL_MS = 1000;

/**
 * Begins to look, now and every second, as long as the process lasts.
 * @param read undefined where there is no event log, and nothing to watch
 */
export function watchEventLog(read: () => EventLogStats | undefined, log: Logger): void {
	if (read() === undefined) return;
	let told = '';
	const look = () => {
		const fault = read()?.fault ?? '';
		if (fault !== '' && told === '') log.error({ code: 'EVENT_LOG_FAILED' }, `feedback is refused: ${fault}`);
		if (fault === '' && told !== '') log.info('the event log is written again');
		told = fault;
	};
	look();
	setInterval(look, INTERVAL_MS).unref();
}

interface LoggingEngine {
	close(): Promise<void>;
	eventLog(): EventLogStats | undefined;
}

/** The engine to shut down: closed, it has written what it accepted, or tells how much it could not. */
export function lastWords(engine: LoggingEngine, log: Logger): { close(): Promise<void> } {
	const close = async () => {
		await engine.close();
		const { lost = 0, fault = '' } = engine.eventLog() ?? {};
		if (lost > 0) log.error({ code: 'EVENT_LOG_FAILED', lost_events: lost }, `accepted events are lost: ${fault}`);
	};
	return { close };
}
