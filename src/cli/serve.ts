/** `rankd serve`: configuration, engine, models, threads, signals. */
import { Command } from 'commander';
import { grantedCpus } from '../config/granted-cpus.js';
import type { Config } from '../config/keys.js';
import { loadConfig } from '../config/load-config.js';
import { followRepository } from '../control/follow-repository.js';
import { OipControl } from '../control/oip-control.js';
import { Repository } from '../control/repository.js';
import { EngineError } from '../errors.js';
import { createLog, type Logger } from '../log.js';
import type { ModelInfo } from '../native/addon.js';
import { Engine } from '../native/engine.js';
import { exitNow } from '../native/exit-now.js';
import { type Addresses, claimAddresses } from '../server/addresses.js';
import { lastWords, watchEventLog } from '../server/event-log-watch.js';
import { RankdServer } from '../server/server.js';
import { shutDownOnSignals } from '../server/shutdown.js';
import { addConfigOptions } from './config-options.js';
import { greeting } from './greeting.js';
import { addTritonOptions, translatedFlags } from './triton-options.js';

export function serveCommand(): Command {
	const command = new Command('serve').description('serve the models of a repository over HTTP and RPC');
	return addTritonOptions(addConfigOptions(command)).action(async ({ config: file, ...read }: Record<string, unknown>) => {
		const { keys: flags, warnings } = translatedFlags(read);
		await serve(loadConfig({ flags, environment: process.env, file: file as string | undefined }), warnings);
	});
}

async function serve(config: Config, warnings: readonly string[]): Promise<void> {
	const log = createLog({ level: config.logLevel, format: config.logFormat, id: config.id });
	for (const warning of warnings) log.warn(warning);
	process.on('uncaughtException', (err) => {
		log.fatal({ err }, 'this is a bug: the main thread failed');
		exitNow(1);
	});
	// Loading may take a while: a port that is taken is told before.
	const addresses = await claimAddresses(config);
	const workersHaveCores = config.ioThreads + config.computeThreads <= grantedCpus();
	const engine = Engine.create({ ...config, observe: config.observability, maxOipBytes: config.httpMaxInputSize, workersHaveCores });
	tuneModels(engine, config);
	watchEventLog(() => engine.eventLog(), log);
	const repository = new Repository({ engine, config, log });
	// The threads start beside the loading; they listen when it is done.
	const server = new RankdServer({ engine, config, log, repository, oip: new OipControl(repository, config) });
	try {
		await start({ server, repository, engine, addresses, config, log });
	} catch (thrown) {
		await server.close();
		await engine.close();
		throw thrown;
	}
}

function tuneModels(engine: Engine, { models }: Config): void {
	for (const [name, { slo, max_batch_rows, max_batch_us, max_wait_ms }] of Object.entries(models))
		engine.tune(name, {
			sloP99Ms: slo?.p99_ms ?? 0,
			maxBatchRows: max_batch_rows ?? 0,
			maxBatchUs: max_batch_us ?? 0,
			maxWaitMs: max_wait_ms ?? 0,
		});
}

interface Parts {
	server: RankdServer;
	repository: Repository;
	engine: Engine;
	addresses: Addresses;
	config: Config;
	log: Logger;
}

async function start({ server, repository, engine, addresses, config, log }: Parts): Promise<void> {
	const loaded = await loadAll(repository, config, log);
	const ending = { on: process.on.bind(process), exit: process.exit.bind(process), exitNow };
	const stop = shutDownOnSignals({ app: server, engine: lastWords(engine, log), log, drainTimeoutMs: config.drainTimeoutMs }, ending);
	await server.listen(addresses);
	// Both last as long as the process.
	followRepository({ repository, config, log });
	syncOnSignal(repository, log);
	server.broken.then((error) => {
		log.fatal({ err: error }, 'a thread has ended: draining the others');
		stop();
	});
	const { host, httpPort: port, metricsPort: metrics_port, grpcPort: grpc_port } = addresses;
	const { ioThreads: io_threads, computeThreads: compute_threads } = config;
	log.info({ host, port, metrics_port, grpc_port, io_threads, compute_threads, isa: engine.stats().isa }, 'listening');
	console.log(greeting(addresses, loaded));
}

async function loadAll(repository: Repository, { exitOnError, modelRepository }: Config, log: Logger): Promise<ModelInfo[]> {
	const { loaded, problems } = await repository.sync();
	if (loaded.length === 0 && problems.length === 0 && !repository.isExplicit)
		log.warn({ model_repository: modelRepository }, 'no model found: not ready until one is there');
	const [first] = problems;
	if (exitOnError && first) throw new EngineError(first.error.code, `${first.path}: ${first.error.message}`, { cause: first.error });
	return loaded;
}

function syncOnSignal(repository: Repository, log: Logger): void {
	process.on('SIGHUP', (signal) => {
		log.info({ signal }, 'synchronising with the repository');
		// What does not serve has been told by the repository; here it is refused, or the engine has been closed.
		repository.syncOnRequest().catch((thrown) => log.warn({ err: thrown }, 'not synchronised'));
	});
}
