/** A log whose lines a test can read. */
import { createLog, type Logger } from '../../src/log.js';

export interface LogLine {
	level: string;
	msg: string;
	[detail: string]: unknown;
}

export function memoryLog(): { log: Logger; lines: LogLine[] } {
	const lines: LogLine[] = [];
	const write = (line: string) => lines.push(JSON.parse(line) as LogLine);
	return { log: createLog({ level: 'debug', format: 'json', id: 'test' }, { write }), lines };
}
