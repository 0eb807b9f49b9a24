/** From a signal or a failure to the end of the process: drain, close, exit; a second signal does not wait. */
import type { Logger } from '../log.js';

export interface Closable {
	drain(timeoutMs: number): Promise<boolean>;
	close(): void | Promise<void>;
}

export interface Shutdown {
	app: Closable;
	engine: { close(): Promise<void> };
	log: Logger;
	drainTimeoutMs: number;
}

/** Closes in the order that loses nothing. @returns whether every open request was answered */
export async function shutDown({ app, engine, log, drainTimeoutMs }: Shutdown): Promise<boolean> {
	const isComplete = await app.drain(drainTimeoutMs);
	if (!isComplete) log.warn({ drain_timeout_ms: drainTimeoutMs }, 'requests were still open when the drain timeout passed');
	await app.close();
	await engine.close();
	return isComplete;
}

/** What is asked of the process; a test gives its own. */
export interface ProcessEnd {
	on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
	exit(code: number): void;
	/** Ends it whatever its threads are doing. */
	exitNow(code: number): void;
}

/**
 * SIGTERM and SIGINT drain and exit with 0; a second one exits with 1 at once.
 * @returns what does the same after a failure, and exits with 1
 */
export function shutDownOnSignals(shutdown: Shutdown, process: ProcessEnd): () => void {
	const { log } = shutdown;
	let isUnderWay = false;
	const begin = (exitCode: number) => {
		isUnderWay = true;
		shutDown(shutdown).then(
			() => {
				log.info('stopped');
				process.exit(exitCode);
			},
			(cause) => {
				log.error({ err: cause }, 'the shutdown failed');
				process.exitNow(1);
			},
		);
	};
	const onSignal = (signal: NodeJS.Signals) => {
		if (isUnderWay) return process.exitNow(1);
		log.info({ signal }, 'draining');
		begin(0);
	};
	process.on('SIGTERM', onSignal);
	process.on('SIGINT', onSignal);
	return () => isUnderWay || begin(1);
}
