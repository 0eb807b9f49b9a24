/** The protocol's log switches and our levels: each switch is on its own. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.js';
import { LogControl, logSettingsOf, verbosityOf } from '../../src/server/oip/log-settings.js';

test.each(['trace', 'debug', 'info', 'warn', 'error'])('level %s comes to settings that come to the same level', (level) =>
	expect(verbosityOf(logSettingsOf(level))).toEqual({ level, muted: [] }),
);

test('silent writes nothing but what ends the process', () =>
	expect(verbosityOf(logSettingsOf('silent'))).toEqual({ level: 'fatal', muted: [] }));

test('for any settings, what is switched on is written and nothing else is', () => {
	const settings = fc.record({
		log_file: fc.constant(''),
		log_info: fc.boolean(),
		log_warning: fc.boolean(),
		log_error: fc.boolean(),
		log_verbose_level: fc.nat(3),
		log_format: fc.constant('default'),
	});
	fc.assert(
		fc.property(settings, (wanted) => {
			const lines: string[] = [];
			const log = createLog({ level: 'info', format: 'json', id: 'test' }, { write: (line) => lines.push(JSON.parse(line).level) });
			const control = new LogControl(log, 'info');
			control.apply(wanted);
			for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]('words');
			const { log_verbose_level: verbose } = wanted;
			const written = { trace: verbose > 1, debug: verbose > 0, info: wanted.log_info, warn: wanted.log_warning, error: wanted.log_error };
			const expected = Object.entries(written).flatMap(([level, isOn]) => (isOn ? [level] : []));
			expect(lines).toEqual([...expected, 'fatal']);
			expect(control.settings).toEqual(wanted);
		}),
	);
});
