/** `rankd serve`: configuration, engine, models, threads, signals. */
import { Command } from 'commander';
import type { Config } from '../config/keys.js';
import { loadConfig } from '../config/load-config.js';
import { type LoadReport, loadRepositories } from '../control/load-repository.js';
import { EngineError } from '../errors.js';
import { createLog, type Logger } from '../log.js';
import type { ModelInfo } from '../native/addon.js';
import { Engine } from '../native/engine.js';
import { exitNow } from '../native/exit-now.js';
import { type Addresses, claimAddresses } from '../server/addresses.js';
import { RankdServer } from '../server/server.js';
import { shutDownOnSignals } from '../server/shutdown.js';
import { addConfigOptions } from './config-options.js';

export function serveCommand(): Command {
	const command = new Command('serve').description('serve the models of a repository over HTTP and RPC');
	return addConfigOptions(command).action(async ({ config: file, ...flags }: Record<string, unknown>) => {
		await serve(loadConfig({ flags, environment: process.env, file: file as string | undefined }));
	});
}

async function serve(config: Config): Promise<void> {
	const log = createLog({ level: config.logLevel, format: config.logFormat, id: config.id });
	process.on('uncaughtException', (err) => {
		log.fatal({ err }, 'this is a bug: the main thread failed');
		exitNow(1);
	});
	// Loading may take a while: a port that is taken is told before.
	const addresses = await claimAddresses(config);
	const engine = Engine.create({ ...config, observe: config.observability });
	// The threads start beside the loading; they listen when it is done.
	const server = new RankdServer({ engine, config, log });
	try {
		await start(server, engine, addresses, config, log);
	} catch (thrown) {
		await server.close();
		await engine.close();
		throw thrown;
	}
}

async function start(server: RankdServer, engine: Engine, addresses: Addresses, config: Config, log: Logger): Promise<void> {
	const report = await loadRepositories(engine, config.modelRepository);
	logReport(report, config, log);
	const ending = { on: process.on.bind(process), exit: process.exit.bind(process), exitNow };
	const stop = shutDownOnSignals({ app: server, engine, log, drainTimeoutMs: config.drainTimeoutMs }, ending);
	await server.listen(addresses, problemOf(report, config));
	server.broken.then((error) => {
		log.fatal({ err: error }, 'an I/O thread has ended: draining the others');
		stop();
	});
	const { host, httpPort: port, metricsPort: metrics_port } = addresses;
	const { ioThreads: io_threads, computeThreads: compute_threads } = config;
	log.info({ host, port, metrics_port, io_threads, compute_threads, isa: engine.stats().isa }, 'listening');
	greet(addresses, report.loaded);
}

function logReport({ loaded, problems }: LoadReport, { exitOnError, modelRepository }: Config, log: Logger): void {
	for (const { name, version, kind, items, loadMs, precomputedBytes } of loaded)
		log.info({ model: name, version, kind, items, load_ms: loadMs, precomputed_bytes: precomputedBytes }, 'model loaded');
	for (const { path, error } of problems) log.error({ code: error.code, path }, error.message);
	if (loaded.length === 0 && problems.length === 0)
		log.warn({ model_repository: modelRepository }, 'no bundle found: not ready until one is there');
	const first = problems[0];
	if (exitOnError && first) throw new EngineError(first.error.code, `${first.path}: ${first.error.message}`, { cause: first.error });
}

/** Why the server is not ready although models serve. */
function problemOf({ problems }: LoadReport, { strictReadiness }: Config): string | undefined {
	const first = problems[0];
	return strictReadiness && first
		? `${problems.length} of the repository's entries do not serve, first ${first.path}: ${first.error.message}`
		: undefined;
}

/** The one thing a person wants to see: where it listens, and a line to paste. */
function greet({ host, httpPort, metricsPort, unixSockets }: Addresses, models: readonly ModelInfo[]): void {
	const here = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}`;
	const base = `${here}:${httpPort}`;
	const names = models.map(({ name, version }) => `${name}@${version}`).join(', ') || 'no models yet';
	const sockets = unixSockets.map((path) => `and on ${path}`);
	const example = models.map((model) => exampleCall(base, model)).find((line) => line !== undefined);
	console.log(
		[
			`rankd listening on ${base} (${names})`,
			...sockets,
			`metrics on ${here}:${metricsPort}/metrics`,
			...(example ? [`try: ${example}`] : []),
		].join('\n'),
	);
}

function exampleCall(base: string, { name, operations }: ModelInfo): string | undefined {
	if (!operations.includes('recommend')) return undefined;
	const history = name === 'packages' ? '"history":["cmake","libboost-dev","libfmt-dev"],' : '';
	return `curl -s ${base}/v1/recommend/${encodeURIComponent(name)} -d '{${history}"k":5}'`;
}
