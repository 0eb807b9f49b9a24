/** What a log line looks like in both formats. */
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.js';

function linesOf(format: 'json' | 'text', write: (log: ReturnType<typeof createLog>) => void): string[] {
	const lines: string[] = [];
	write(createLog({ level: 'info', format, id: 'a' }, { write: (line) => lines.push(line) }));
	return lines;
}

test('JSON lines carry time, level, server and details', () => {
	const [line = ''] = linesOf('json', (log) => log.info({ model: 'tiny' }, 'model loaded'));
	expect(JSON.parse(line)).toMatchObject({
		level: 'info',
		server: 'a',
		model: 'tiny',
		msg: 'model loaded',
		time: expect.stringMatching(/^\d{4}-/),
	});
});

test('text lines are for eyes', () => {
	const [line] = linesOf('text', (log) => log.warn({ model: 'tiny', items: 3, at: ['x'] }, 'slow'));
	expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow model=tiny items=3 at=\["x"\]\n$/);
});

test('text shows the stack of an error', () => {
	const [line] = linesOf('text', (log) => log.error({ err: new Error('broken') }, 'failed'));
	expect(line).toMatch(/ERROR failed\nError: broken\n {4}at /);
});

test('less urgent lines are left out', () => {
	expect(linesOf('json', (log) => log.debug('noise'))).toEqual([]);
});
