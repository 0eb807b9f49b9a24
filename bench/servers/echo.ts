/**
 * The real server modules in front of an engine that sends every body back: what the transport alone costs.
 * `echo.js --port N [--unix-socket PATH]`; it takes the modules that ship (dist/), so that this is the code that serves.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { inRoot } from '../harness/paths.js';
import { EchoEngine } from './echo-engine.js';

async function built<T>(...path: string[]): Promise<T> {
	return (await import(pathToFileURL(inRoot('dist', ...path)).href)) as T;
}

const { values } = parseArgs({ options: { port: { type: 'string' }, 'unix-socket': { type: 'string' } } });
const { RankdApp } = await built<typeof import('../../src/server/app.js')>('server', 'app.js');
const { createMetrics } = await built<typeof import('../../src/metrics/metrics.js')>('metrics', 'metrics.js');
const { createRows, rowsOf } = await built<typeof import('../../src/metrics/thread-row.js')>('metrics', 'thread-row.js');
const { loadConfig } = await built<typeof import('../../src/config/load-config.js')>('config', 'load-config.js');
const { createLog } = await built<typeof import('../../src/log.js')>('log.js');

const config = loadConfig({ flags: { host: '127.0.0.1', httpPort: values.port, unixSocket: values['unix-socket'], logLevel: 'warn' } });
const log = createLog({ level: config.logLevel, format: 'text', id: 'echo' });
const engine = new EchoEngine();
const rows = rowsOf(createRows(1));
const metrics = createMetrics({ readStats: () => engine.stats(), threads: rows });
const app = new RankdApp({ engine, config, log, metrics, rows });
await app.listen({ host: config.host, port: config.httpPort, unixSocket: config.unixSocket });

process.once('SIGTERM', () => {
	app.close();
	process.exit(0);
});
