/** Trace settings of the protocol: nothing is traced by them, because a request is traced when its caller says so. */
import { EngineError } from '../../errors.js';

export const traceSettings = {
	trace_level: ['OFF'],
	trace_rate: '1000',
	trace_count: '-1',
	log_frequency: '0',
	trace_file: '',
	trace_mode: 'triton',
} as const;

/** @returns the settings as they are, which a change may repeat. @throws EngineError `UNSUPPORTED_FEATURE` */
export function changeTraceSettings(changes: Readonly<Record<string, unknown>>): typeof traceSettings {
	const settings: Readonly<Record<string, unknown>> = traceSettings;
	const changed = Object.keys(changes).find((name) => String(changes[name]) !== String(settings[name]));
	if (changed === undefined) return traceSettings;
	const instead = 'a request is traced when its traceparent header says that it is sampled';
	throw new EngineError('UNSUPPORTED_FEATURE', `${changed} cannot be changed: ${instead}`);
}
