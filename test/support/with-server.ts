/** The whole server on a free port: real engine, the fixture bundles, real sockets. */
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load-config.js';
import { OipControl } from '../../src/control/oip-control.js';
import { Repository, type SyncReport } from '../../src/control/repository.js';
import { createLog } from '../../src/log.js';
import { Engine } from '../../src/native/engine.js';
import type { RankdApp } from '../../src/server/app.js';
import { newApp } from './new-app.js';

/** `tiny`, a recommender of item-00 to item-63 for user-0 to user-7, and `scorer`, rows of four features. */
export const fixtureModels = fileURLToPath(new URL('../fixtures/models', import.meta.url));

/** The models that clients of the Open Inference Protocol know, in Triton's layout; its README lists them. */
export const tritonModels = fileURLToPath(new URL('../fixtures/triton', import.meta.url));

export interface Server {
	engine: Engine;
	app: RankdApp;
	repository: Repository;
	/** The same, as the Open Inference Protocol's clients see it. */
	oip: OipControl;
	/** Of the first synchronisation. */
	report: SyncReport;
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
	const repository = new Repository({ engine, config, log });
	const report = await repository.sync();
	const oip = new OipControl(repository, config);
	const { app, listen } = newApp({ engine, config, log, lingerMs: 50, oip });
	try {
		const port = await listen();
		const places = { port, base: `http://127.0.0.1:${port}`, rpcUrl: `ws://127.0.0.1:${port}/rpc` };
		await test({ engine, app, repository, oip, report, ...places, logLines });
	} finally {
		app.close();
		await engine.close();
	}
}
