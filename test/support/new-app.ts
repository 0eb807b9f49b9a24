/** One app of this thread, with what the main thread would give it. */
import type { OipRepository } from '../../src/control/oip-repository.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { createRows, rowsOf } from '../../src/metrics/thread-row.js';
import { claimPort } from '../../src/server/addresses.js';
import { type AppOptions, RankdApp } from '../../src/server/app.js';
import { mainCalls } from '../../src/server/main-calls.js';
import { LogControl } from '../../src/server/oip/log-settings.js';
import { askDirectly } from './ask-directly.js';

export interface NewApp {
	app: RankdApp;
	/** Probes the configured port and listens there. @returns the port */
	listen(): Promise<number>;
}

export interface NewAppOptions extends Omit<AppOptions, 'metrics' | 'rows'> {
	oip: OipRepository;
}

export function newApp({ oip, ...options }: NewAppOptions): NewApp {
	const { config, engine, log } = options;
	const rows = rowsOf(createRows(1));
	const metrics = createMetrics({ readStats: () => engine.stats(), threads: rows, isObserved: config.observability });
	const logging = new LogControl(log, config.logLevel);
	const calls = mainCalls({ metrics, repository: oip, logging, tellLogging: async (settings) => app.setLogging(settings) });
	const app = new RankdApp({ ...options, rows, metrics, askMain: askDirectly(calls) });
	const listen = async () => {
		const port = await claimPort(config.host, config.httpPort, 'http_port');
		await app.listen({ host: config.host, port, unixSocket: undefined });
		return port;
	};
	return { app, listen };
}
