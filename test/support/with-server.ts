/** The whole server on a free port: real engine, the fixture bundles, real sockets. */
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load-config.js';
import { type LoadReport, loadRepositories } from '../../src/control/load-repository.js';
import { createLog } from '../../src/log.js';
import { Engine } from '../../src/native/engine.js';
import type { RankdApp } from '../../src/server/app.js';
import { newApp } from './new-app.js';

/** `tiny`, a recommender of item-00 to item-63 for user-0 to user-7, and `scorer`, rows of four features. */
export const fixtureModels = fileURLToPath(new URL('../fixtures/models', import.meta.url));

export interface Server {
	engine: Engine;
	app: RankdApp;
	report: LoadReport;
	port: number;
	/** `http://127.0.0.1:port` */
	base: string;
	rpcUrl: string;
	logLines: string[];
}

/** Starts, runs the test, and closes whatever happens. */
export async function withServer(test: (server: Server) => Promise<void>, flags: Record<string, unknown> = {}): Promise<void> {
	const config = loadConfig({ flags: { host: '127.0.0.1', httpPort: 0, computeThreads: 1, modelRepository: [fixtureModels], ...flags } });
	const logLines: string[] = [];
	const log = createLog({ level: 'debug', format: 'json', id: 'test' }, { write: (line) => logLines.push(line) });
	const engine = Engine.create(config);
	const report = await loadRepositories(engine, config.modelRepository);
	const { app, listen } = newApp({ engine, config, log, lingerMs: 50 });
	try {
		const port = await listen();
		await test({ engine, app, report, port, base: `http://127.0.0.1:${port}`, rpcUrl: `ws://127.0.0.1:${port}/rpc`, logLines });
	} finally {
		app.close();
		await engine.close();
	}
}
