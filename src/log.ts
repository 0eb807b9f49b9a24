/** Structured logs to stderr, so that stdout stays free for what a command prints. */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
	level: string;
	format: 'json' | 'text';
	/** Stands in every line as `server`. */
	id: string;
	/** The I/O thread that writes; the main thread has no number. */
	thread?: number;
}

/** @param stream where lines go; default stderr, each line in one write: a crash loses none, and lines of several threads do not mix */
export function createLog(
	{ level, format, id, thread }: LogOptions,
	stream: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
	const options = {
		level,
		base: thread === undefined ? { server: id } : { server: id, thread },
		timestamp: stdTimeFunctions.isoTime,
		formatters: { level: (label: string) => ({ level: label }) },
	};
	return pino(options, format === 'text' ? { write: (line) => stream.write(asText(line)) } : stream);
}

/** `12:04:05.123 INFO  model loaded  model=packages version=1.0.0` */
function asText(line: string): string {
	const { time, level, msg, server: _server, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
	const details = Object.entries(rest).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
	const stack = err === undefined ? '' : `\n${(err as { stack?: string }).stack}`;
	return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${msg}${details.join('')}${stack}\n`;
}
