/** The log as the protocol sets it: three switches and a verbosity, which are levels of ours. */
import { EngineError } from '../../errors.js';
import { type Logger, setVerbosity, type Verbosity } from '../../log.js';

export interface LogSettings {
	log_file: string;
	log_info: boolean;
	log_warning: boolean;
	log_error: boolean;
	/** 1 is `debug`, from 2 on `trace`. */
	log_verbose_level: number;
	log_format: string;
}

export type LogChanges = { [Name in keyof LogSettings]?: LogSettings[Name] | undefined };

/** The least urgent level first. */
const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** What a configured level comes to. */
export function logSettingsOf(level: string): LogSettings {
	const at = (levels as readonly string[]).indexOf(level);
	const writes = (name: (typeof levels)[number]) => at >= 0 && at <= levels.indexOf(name);
	return {
		log_file: '',
		log_info: writes('info'),
		log_warning: writes('warn'),
		log_error: writes('error'),
		log_verbose_level: writes('trace') ? 2 : Number(writes('debug')),
		log_format: 'default',
	};
}

/** @throws EngineError `UNSUPPORTED_FEATURE` for what is decided at the start */
export function changedLogSettings(settings: LogSettings, changes: LogChanges): LogSettings {
	const { log_file = settings.log_file, log_format = settings.log_format } = changes;
	if (log_file !== settings.log_file)
		throw new EngineError('UNSUPPORTED_FEATURE', 'log file location can not be updated through network protocol');
	if (log_format !== settings.log_format)
		throw new EngineError('UNSUPPORTED_FEATURE', 'log_format is chosen at the start, with --log-format');
	return {
		...settings,
		log_info: changes.log_info ?? settings.log_info,
		log_warning: changes.log_warning ?? settings.log_warning,
		log_error: changes.log_error ?? settings.log_error,
		log_verbose_level: changes.log_verbose_level ?? settings.log_verbose_level,
	};
}

export function verbosityOf({ log_verbose_level, log_info, log_warning, log_error }: LogSettings): Verbosity {
	const isWritten = [log_verbose_level > 1, log_verbose_level > 0, log_info, log_warning, log_error];
	const first = isWritten.indexOf(true);
	if (first < 0) return { level: 'fatal', muted: [] };
	return { level: levels[first] as string, muted: levels.filter((_, at) => at > first && !isWritten[at]) };
}

/** One thread's log and what it is set to. */
export class LogControl {
	readonly #log: Logger;
	#settings: LogSettings;

	constructor(log: Logger, level: string) {
		this.#log = log;
		this.#settings = logSettingsOf(level);
	}

	get settings(): LogSettings {
		return this.#settings;
	}

	apply(settings: LogSettings): void {
		this.#settings = settings;
		setVerbosity(this.#log, verbosityOf(settings));
	}
}
