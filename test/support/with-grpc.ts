/** A gRPC server of this thread over whatever engine a test gives, and a client before it. */
import { loadConfig } from '../../src/config/load-config.js';
import type { OipRepository } from '../../src/control/oip-repository.js';
import { createLog } from '../../src/log.js';
import { createRows, rowsOf, type Traffic } from '../../src/metrics/thread-row.js';
import type { AppEngine } from '../../src/server/app.js';
import { GrpcServer } from '../../src/server/grpc/grpc-server.js';
import { mainCalls } from '../../src/server/main-calls.js';
import { LogControl } from '../../src/server/oip/log-settings.js';
import { askDirectly } from './ask-directly.js';
import { FakeRepository } from './fake-repository.js';
import { GrpcClient } from './grpc-client.js';

export interface GrpcTest {
	server: GrpcServer;
	client: GrpcClient;
	port: number;
	traffic: Traffic;
	/** What the main thread is asked of; a test may give another one. */
	repository: FakeRepository;
	logLines: string[];
}

/** Starts, runs the test, and closes whatever happens. */
export async function withGrpc(
	engine: AppEngine,
	test: (grpc: GrpcTest) => Promise<void>,
	flags: Record<string, unknown> = {},
	oip?: OipRepository,
): Promise<void> {
	const config = loadConfig({ flags });
	const logLines: string[] = [];
	const log = createLog({ level: 'debug', format: 'json', id: 'test' }, { write: (line) => logLines.push(line) });
	const [row] = rowsOf(createRows(1)) as [ReturnType<typeof rowsOf>[number]];
	const repository = new FakeRepository();
	const metrics = { render: async () => '' };
	const logging = new LogControl(log, config.logLevel);
	const calls = mainCalls({
		metrics,
		repository: oip ?? repository,
		logging,
		tellLogging: async (settings) => server.setLogging(settings),
	});
	const server = new GrpcServer({ engine, config, log, row, askMain: askDirectly(calls) });
	const port = await server.listen('127.0.0.1', 0);
	const client = new GrpcClient(port);
	try {
		await test({ server, client, port, traffic: row.traffic, repository, logLines });
	} finally {
		client.close();
		server.close();
	}
}
