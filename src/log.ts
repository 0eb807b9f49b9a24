/** Structured logs to stderr, so that stdout stays free for what a command prints. */
import { type DestinationStream, destination, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
	level: string;
	format: 'json' | 'text';
	/** Stands in every line as `server`. */
	id: string;
	/** Who writes: an I/O thread by its number, or the gRPC thread; the main thread has no name. */
	thread?: number | 'grpc';
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
		hooks: { logMethod: writeUnlessMuted },
	};
	return pino(options, format === 'text' ? { write: (line) => stream.write(asText(line)) } : stream);
}

export interface Verbosity {
	/** The least urgent that is written. */
	level: string;
	/** More urgent ones that are not. */
	muted: readonly string[];
}

const mutedOf = new WeakMap<Logger, ReadonlySet<string>>();

/** What a logger writes from now on. */
export function setVerbosity(log: Logger, { level, muted }: Verbosity): void {
	log.level = level;
	mutedOf.set(log, new Set(muted));
}

function writeUnlessMuted(this: Logger, args: Parameters<LogFn>, write: LogFn, level: number): void {
	if (!mutedOf.get(this)?.has(this.levels.labels[level] ?? '')) write.apply(this, args);
}

/** `12:04:05.123 INFO  model loaded  model=packages version=1.0.0` */
function asText(line: string): string {
	const { time, level, msg, server: _server, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
	const details = Object.entries(rest).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
	const stack = err === undefined ? '' : `\n${(err as { stack?: string }).stack}`;
	return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${msg}${details.join('')}${stack}\n`;
}
