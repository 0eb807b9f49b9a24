/** A thread tells in shared cells that its loop turns, and how late. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { monitorLoop, readLag, stalledMs } from '../../src/metrics/loop-monitor.js';

const newCells = () => new Float64Array(8);

test('a loop that was blocked shows it until it is read, then begins anew', async () => {
	const cells = newCells();
	onTestFinished(monitorLoop(cells));
	await new Promise((resolve) => setTimeout(resolve, 30));
	const end = performance.now() + 150;
	while (performance.now() < end);
	await vi.waitUntil(() => (cells[3] as number) > 0.05, { timeout: 10_000 });
	expect(readLag(cells).max).toBeGreaterThan(0.05);
	expect(readLag(cells).p50).toBeLessThan(0.15);
	await vi.waitUntil(() => (cells[3] as number) < 0.05, { timeout: 10_000 });
});

test('a loop that does not turn is stalled; one that has not begun is not', () => {
	const cells = newCells();
	expect(stalledMs(cells)).toBe(0);
	monitorLoop(cells)();
	expect(stalledMs(cells)).toBeLessThan(5000);
	cells[0] = (cells[0] as number) - 60_000;
	expect(stalledMs(cells)).toBeGreaterThanOrEqual(60_000);
});

test('without observation only the turning is told', async () => {
	const cells = newCells();
	onTestFinished(monitorLoop(cells, false));
	expect([...cells.subarray(1)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
	expect(cells[0]).toBeGreaterThan(0);
});
