/** The program of the gRPC thread: one server over the engine of the process, started and stopped by the main thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createLog } from '../../log.js';
import { rowsOf, type ThreadRow } from '../../metrics/thread-row.js';
import { Engine } from '../../native/engine.js';
import type { ProblemBody } from '../problem-body.js';
import type { MainCalls } from '../thread-calls.js';
import { ThreadLink } from '../thread-link.js';
import { GrpcServer } from './grpc-server.js';
import type { GrpcCalls, GrpcThreadData } from './grpc-thread.js';

const { engineId, config, rows, rowAt, thread } = workerData as GrpcThreadData;
const log = createLog({ level: config.logLevel, format: config.logFormat, id: config.id, thread });
const port = parentPort as MessagePort;

let problems: readonly ProblemBody[] = [];

const server = new GrpcServer({
	engine: Engine.byId(engineId),
	config,
	log,
	row: rowsOf(rows)[rowAt] as ThreadRow,
	askMain: (name, argument) => main.call(name, argument),
	problems: () => problems,
});

const calls: GrpcCalls = {
	listen: ({ host, port }) => server.listen(host, port),
	tell(news) {
		problems = news;
	},
	setLogging: (settings) => server.setLogging(settings),
	drain: (timeoutMs) => server.drain(timeoutMs),
	close() {
		server.close();
		// The answer to this call leaves first; then nothing keeps the thread.
		setImmediate(() => port.close());
	},
};

const main = new ThreadLink<MainCalls>(port, calls);

process.on('uncaughtException', (err) => {
	log.fatal({ err }, 'this is a bug: the gRPC thread failed');
	server.close();
	process.exit(1);
});
