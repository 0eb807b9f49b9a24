/** Servers under measurement: started, watched, and gone without a trace. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isAlive, processTree } from '../../bench/harness/process-tree.js';
import { withSession } from './support/run-session.js';

const node = (script: string) => [process.execPath, '-e', script];
const forever = 'setInterval(() => {}, 1000);';
/** Writes a file when it runs, so that a test knows. */
const tells = (file: string, rest: string) => `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); ${rest}`;
const isThere = (file: string) => () => Promise.resolve(existsSync(file) && readFileSync(file, 'utf8') !== '');

describe('stopping', () => {
	test('ends a server that obeys SIGTERM', () =>
		withSession(async (session) => {
			const file = `${session.folder}/up`;
			const server = await session.startServer({ name: 'obedient', command: node(tells(file, forever)), isReady: isThere(file) });
			const [info] = processTree(server.pid);
			expect(info && isAlive(info)).toBe(true);
			await server.stop();
			expect(info && isAlive(info)).toBe(false);
		}));

	test('ends children that ignore SIGTERM, left the process group and were orphaned', () =>
		withSession(async (session) => {
			const file = `${session.folder}/up`;
			const stubborn = tells(file, `process.on('SIGTERM', () => {}); ${forever}`);
			const spawning = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { detached: true }); ${forever}`;
			const server = await session.startServer({ name: 'parent', command: node(spawning), isReady: isThere(file) });
			const tree = processTree(server.pid);
			expect(tree.length).toBeGreaterThanOrEqual(2);
			await server.stop();
			expect(tree.filter(isAlive)).toEqual([]);
		}));

	test('ends a server that was stopped like a job, without waiting for its time to be over', () =>
		withSession(async (session) => {
			const file = `${session.folder}/up`;
			const obedient = `process.on('SIGTERM', () => { require('node:fs').writeFileSync(${JSON.stringify(`${file}.heard`)}, 'TERM'); process.exit(0); });`;
			const server = await session.startServer({ name: 'asleep', command: node(obedient + tells(file, forever)), isReady: isThere(file) });
			process.kill(server.pid, 'SIGSTOP');
			await server.stop();
			expect(readFileSync(`${file}.heard`, 'utf8')).toBe('TERM');
		}));

	test('is done by the end of the session, for whatever was started', async () => {
		const tree = await withSession(async (session) => {
			const file = `${session.folder}/up`;
			const server = await session.startServer({ name: 'forgotten', command: node(tells(file, forever)), isReady: isThere(file) });
			return processTree(server.pid);
		});
		expect(tree.length).toBe(1);
		expect(tree.filter(isAlive)).toEqual([]);
	});
});

describe('a server that does not get ready', () => {
	test('because it ends says how and with which last words', () =>
		withSession(async (session) => {
			const command = node("console.error('no such model'); process.exit(4)");
			const started = session.startServer({ name: 'broken', command, isReady: async () => false });
			await expect(started).rejects.toThrow(/broken ended before it answered:\nno such model\s*\(ended with exit code 4\)/);
		}));

	test('because it cannot be run says so', () =>
		withSession(async (session) => {
			const started = session.startServer({ name: 'absent', command: ['/no/such/program'], isReady: async () => false });
			await expect(started).rejects.toThrow('absent ended before it answered');
		}));

	test('in time is stopped', () =>
		withSession(async (session) => {
			const command = node(forever);
			const started = session.startServer({ name: 'slow', command, isReady: async () => false, timeoutMs: 300 });
			await expect(started).rejects.toThrow('slow did not answer within 0.3 s');
		}));
});

test('CPU time and memory of a server are those of its children too', () =>
	withSession(async (session) => {
		const file = `${session.folder}/up`;
		const busy = tells(file, 'const end = Date.now() + 30_000; while (Date.now() < end);');
		const command = node(`require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}]); ${forever}`);
		const server = await session.startServer({ name: 'busy', command, isReady: isThere(file) });
		const before = server.cpuSeconds();
		while (server.cpuSeconds() < before + 0.1) await new Promise((resolve) => setTimeout(resolve, 20));
		const [parent] = processTree(server.pid);
		expect(server.cpuSeconds()).toBeGreaterThan(parent?.cpuSeconds ?? Number.POSITIVE_INFINITY);
		expect(server.residentBytes()).toBeGreaterThan(30 * 2 ** 20);
	}));
