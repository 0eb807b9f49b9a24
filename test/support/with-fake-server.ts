/** A real listener in front of a fake engine: what the transports do, without C++. */
import { loadConfig } from '../../src/config/load-config.js';
import { createLog } from '../../src/log.js';
import type { RankdApp } from '../../src/server/app.js';
import { FakeEngine } from './fake-engine.js';
import { FakeRepository } from './fake-repository.js';
import { newApp } from './new-app.js';

export interface FakeServer {
	engine: FakeEngine;
	repository: FakeRepository;
	app: RankdApp;
	port: number;
	/** `http://127.0.0.1:port` */
	base: string;
	rpcUrl: string;
	logLines: string[];
}

/** Starts, runs the test, and closes whatever happens. */
export async function withFakeServer(test: (server: FakeServer) => Promise<void>, flags: Record<string, unknown> = {}): Promise<void> {
	const config = loadConfig({ flags: { host: '127.0.0.1', httpPort: 0, ...flags } });
	const engine = new FakeEngine();
	const repository = new FakeRepository();
	const logLines: string[] = [];
	const log = createLog({ level: 'debug', format: 'json', id: 'test' }, { write: (line) => logLines.push(line) });
	const { app, listen } = newApp({ engine, config, log, lingerMs: 20, oip: repository });
	try {
		const port = await listen();
		await test({ engine, repository, app, port, base: `http://127.0.0.1:${port}`, rpcUrl: `ws://127.0.0.1:${port}/rpc`, logLines });
	} finally {
		app.close();
	}
}
