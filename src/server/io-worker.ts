/** The program of an I/O thread: one app over the engine of the process, started and stopped by the main thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createLog } from '../log.js';
import { receiveProbes } from '../metrics/receive-delay.js';
import { rowsOf, type ThreadRow } from '../metrics/thread-row.js';
import { Engine } from '../native/engine.js';
import { RankdApp } from './app.js';
import type { ProblemBody } from './problem-body.js';
import type { MainCalls, ThreadCalls, ThreadData } from './thread-calls.js';
import { ThreadLink } from './thread-link.js';

const { engineId, config, thread, rows, probes } = workerData as ThreadData;
const log = createLog({ level: config.logLevel, format: config.logFormat, id: config.id, thread });
const engine = Engine.byId(engineId);
const port = parentPort as MessagePort;
const allRows = rowsOf(rows);
const stopProbes = receiveProbes(probes, (allRows[thread] as ThreadRow).receive);

let problems: readonly ProblemBody[] = [];

const calls: ThreadCalls = {
	listen: (places) => app.listen(places),
	tell(news) {
		problems = news;
	},
	setLogging: (settings) => app.setLogging(settings),
	drain: (timeoutMs) => app.drain(timeoutMs),
	close() {
		app.close();
		stopProbes();
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
	rows: allRows.slice(0, config.ioThreads),
	metrics: { render: () => main.call('metrics', undefined) },
	askMain: (name, argument) => main.call(name, argument),
	problems: () => problems,
});

// Node aborts when a thread ends with a live app.
process.on('uncaughtException', (err) => {
	log.fatal({ err }, 'this is a bug: an I/O thread failed');
	app.close();
	process.exit(1);
});
