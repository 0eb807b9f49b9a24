/** The program of an I/O thread: one app over the engine of the process, started and stopped by the main thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createLog } from '../log.js';
import { rowsOf } from '../metrics/thread-row.js';
import { Engine } from '../native/engine.js';
import { RankdApp } from './app.js';
import type { MainCalls, ThreadCalls, ThreadData } from './thread-calls.js';
import { ThreadLink } from './thread-link.js';

const { engineId, config, thread, rows } = workerData as ThreadData;
const log = createLog({ level: config.logLevel, format: config.logFormat, id: config.id, thread });
const engine = Engine.byId(engineId);
const port = parentPort as MessagePort;

let problem: string | undefined;

const calls: ThreadCalls = {
	async listen(where) {
		problem = where.problem;
		await app.listen(where.host, where.port, where.unixSocket);
	},
	drain: (timeoutMs) => app.drain(timeoutMs),
	close() {
		app.close();
		// The answer to this call leaves first; then nothing keeps the thread.
		setImmediate(() => port.close());
	},
};

const main = new ThreadLink<MainCalls>(port, calls);
const app = new RankdApp({
	engine,
	config,
	log,
	thread,
	rows: rowsOf(rows).slice(0, -1),
	metrics: { render: () => main.call('metrics', undefined) },
	notReady: () => (engine.stats().models.length === 0 ? 'no model is loaded' : problem),
});

// Node aborts when a thread ends with a live app.
process.on('uncaughtException', (err) => {
	log.fatal({ err }, 'this is a bug: an I/O thread failed');
	app.close();
	process.exit(1);
});
