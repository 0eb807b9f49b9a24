/** `rankd serve`: configuration, engine, models, listener, signals. */
import { Command } from 'commander';
import type { Config } from '../config/keys.js';
import { loadConfig } from '../config/load-config.js';
import { type LoadReport, loadRepositories } from '../control/load-repository.js';
import { EngineError } from '../errors.js';
import { createLog, type Logger } from '../log.js';
import type { ModelInfo } from '../native/addon.js';
import { Engine } from '../native/engine.js';
import { RankdApp } from '../server/app.js';
import { probePort } from '../server/port-probe.js';
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
	// Loading may take a while: a port that is taken is told before.
	await probePort(config.host, config.httpPort);
	const engine = Engine.create(config);
	const report = await loadRepositories(engine, config.modelRepository);
	logReport(report, config, log);
	const notReady = () => unreadiness(engine, report, config);
	const app = new RankdApp({ engine, config, log, notReady });
	shutDownOnSignals({ app, engine, log, drainTimeoutMs: config.drainTimeoutMs }, process);
	const port = await app.listen();
	log.info({ host: config.host, port, compute_threads: config.computeThreads, isa: engine.stats().isa }, 'listening');
	greet(config, port, report.loaded);
}

function logReport({ loaded, problems }: LoadReport, { exitOnError, modelRepository }: Config, log: Logger): void {
	for (const { name, version, kind, items, loadMs } of loaded)
		log.info({ model: name, version, kind, items, load_ms: loadMs }, 'model loaded');
	for (const { path, error } of problems) log.error({ code: error.code, path }, error.message);
	if (loaded.length === 0 && problems.length === 0)
		log.warn({ model_repository: modelRepository }, 'no bundle found: not ready until one is there');
	const first = problems[0];
	if (exitOnError && first) throw new EngineError(first.error.code, `${first.path}: ${first.error.message}`, { cause: first.error });
}

function unreadiness(engine: Engine, { problems }: LoadReport, { strictReadiness }: Config): string | undefined {
	const { models } = engine.stats();
	if (models.length === 0) return 'no model is loaded';
	const first = problems[0];
	return strictReadiness && first
		? `${problems.length} of the repository's entries do not serve, first ${first.path}: ${first.error.message}`
		: undefined;
}

/** The one thing a person wants to see: where it listens, and a line to paste. */
function greet({ host, unixSocket }: Config, port: number, models: readonly ModelInfo[]): void {
	const base = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
	const names = models.map(({ name, version }) => `${name}@${version}`).join(', ') || 'no models yet';
	const socket = unixSocket === undefined ? [] : [`and on ${unixSocket}`];
	const example = models.map((model) => exampleCall(base, model)).find((line) => line !== undefined);
	console.log([`rankd listening on ${base} (${names})`, ...socket, ...(example ? [`try: ${example}`] : [])].join('\n'));
}

function exampleCall(base: string, { name, operations }: ModelInfo): string | undefined {
	if (!operations.includes('recommend')) return undefined;
	const history = name === 'packages' ? '"history":["cmake","libboost-dev","libfmt-dev"],' : '';
	return `curl -s ${base}/v1/recommend/${encodeURIComponent(name)} -d '{${history}"k":5}'`;
}
