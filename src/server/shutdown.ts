/** From a signal to the end of the process: drain, close, exit; a second signal does not wait. */
import type { Logger } from '../log.js';

export interface Closable {
	drain(timeoutMs: number): Promise<boolean>;
	close(): void;
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
	app.close();
	await engine.close();
	return isComplete;
}

/** What is asked of `process`; a test gives its own. */
interface Signals {
	on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
	exit(code: number): never;
}

/** SIGTERM and SIGINT drain and exit with 0; a second one exits with 1 at once. */
export function shutDownOnSignals(shutdown: Shutdown, process: Signals): void {
	let isUnderWay = false;
	const onSignal = (signal: NodeJS.Signals) => {
		if (isUnderWay) process.exit(1);
		isUnderWay = true;
		shutdown.log.info({ signal }, 'draining');
		shutDown(shutdown).then(
			() => {
				shutdown.log.info('stopped');
				process.exit(0);
			},
			(cause) => {
				shutdown.log.error({ err: cause }, 'the shutdown failed');
				process.exit(1);
			},
		);
	};
	process.on('SIGTERM', onSignal);
	process.on('SIGINT', onSignal);
}
