/** One app of this thread, with what the main thread would give it. */
import { createMetrics } from '../../src/metrics/metrics.js';
import { createRows, rowsOf } from '../../src/metrics/thread-row.js';
import { claimPort } from '../../src/server/addresses.js';
import { type AppOptions, RankdApp } from '../../src/server/app.js';

export interface NewApp {
	app: RankdApp;
	/** Probes the configured port and listens there. @returns the port */
	listen(): Promise<number>;
}

export function newApp(options: Omit<AppOptions, 'metrics' | 'rows'>): NewApp {
	const { config, engine } = options;
	const rows = rowsOf(createRows(1));
	const metrics = createMetrics({ readStats: () => engine.stats(), threads: rows, isObserved: config.observability });
	const app = new RankdApp({ ...options, rows, metrics });
	const listen = async () => {
		await claimPort(config.host, config.httpPort, 'http_port');
		return app.listen(config.host, config.httpPort);
	};
	return { app, listen };
}
