/** What a connection needs of its thread: counters, configuration and a log, without an app. */
import { loadConfig } from '../../src/config/load-config.js';
import { createLog } from '../../src/log.js';
import { createRows, rowsOf, type ThreadRow } from '../../src/metrics/thread-row.js';
import type { Context } from '../../src/server/context.js';

/** @param maxBackpressureBytes what may wait for one connection */
export function oneThread(maxBackpressureBytes: number) {
	const [{ traffic }] = rowsOf(createRows(1)) as [ThreadRow];
	const logLines: string[] = [];
	const log = createLog({ level: 'debug', format: 'json', id: 'test' }, { write: (line) => logLines.push(line) });
	const context = { traffic, log, config: loadConfig({ flags: { maxBackpressureBytes } }) } as unknown as Context;
	return { traffic, logLines, context };
}
