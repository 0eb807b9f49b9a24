/** The order of a shutdown, and what a second signal does. */
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.js';
import { shutDown, shutDownOnSignals } from '../../src/server/shutdown.js';

class FakeProcess extends EventEmitter {
	readonly exitCodes: number[] = [];
	exit(code: number): void {
		this.exitCodes.push(code);
	}
	exitNow(code: number): void {
		this.exitCodes.push(code);
	}
}

function newShutdown(drain: () => Promise<boolean> = async () => true) {
	const steps: string[] = [];
	const lines: string[] = [];
	const app = {
		drain(timeoutMs: number) {
			steps.push(`drain ${timeoutMs}`);
			return drain();
		},
		close() {
			steps.push('close app');
		},
	};
	const engine = {
		async close() {
			steps.push('close engine');
		},
	};
	const log = createLog({ level: 'info', format: 'json', id: 'test' }, { write: (line) => lines.push(line) });
	return { steps, lines, shutdown: { app, engine, log, drainTimeoutMs: 50 } };
}

test('sockets go before the engine that answers them', async () => {
	const { steps, shutdown } = newShutdown();
	expect(await shutDown(shutdown)).toBe(true);
	expect(steps).toEqual(['drain 50', 'close app', 'close engine']);
});

test('requests that were not answered in time are told', async () => {
	const { steps, lines, shutdown } = newShutdown(async () => false);
	expect(await shutDown(shutdown)).toBe(false);
	expect(steps).toEqual(['drain 50', 'close app', 'close engine']);
	expect(lines.join()).toContain('requests were still open');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s drains and exits with 0', async (signal) => {
	const { steps, shutdown } = newShutdown();
	const process = new FakeProcess();
	shutDownOnSignals(shutdown, process);
	process.emit(signal, signal);
	await vi.waitUntil(() => process.exitCodes.length > 0);
	expect(process.exitCodes).toEqual([0]);
	expect(steps.at(-1)).toBe('close engine');
});

test('a second signal exits with 1 at once', () => {
	const { shutdown } = newShutdown(() => new Promise(() => {}));
	const process = new FakeProcess();
	shutDownOnSignals(shutdown, process);
	process.emit('SIGTERM', 'SIGTERM');
	expect(process.exitCodes).toEqual([]);
	process.emit('SIGINT', 'SIGINT');
	expect(process.exitCodes).toEqual([1]);
});

test('a failure drains as a signal does, exits with 1, and is told once', async () => {
	const { steps, shutdown } = newShutdown();
	const process = new FakeProcess();
	const stop = shutDownOnSignals(shutdown, process);
	stop();
	stop();
	await vi.waitUntil(() => process.exitCodes.length > 0);
	expect(process.exitCodes).toEqual([1]);
	expect(steps).toEqual(['drain 50', 'close app', 'close engine']);
});

test('a shutdown that fails says why and exits with 1', async () => {
	const { lines, shutdown } = newShutdown(() => Promise.reject(new Error('stuck')));
	const process = new FakeProcess();
	shutDownOnSignals(shutdown, process);
	process.emit('SIGTERM', 'SIGTERM');
	await vi.waitUntil(() => process.exitCodes.length > 0);
	expect(process.exitCodes).toEqual([1]);
	expect(lines.join()).toContain('stuck');
});
