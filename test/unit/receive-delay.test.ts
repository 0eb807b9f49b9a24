/** A probe is counted as late as the loop that reads it. */
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RECEIVE_CELLS, readReceiveDelay, receiveProbes, sendProbes } from '../../src/metrics/receive-delay.js';

function newProbe() {
	const { port1, port2 } = new MessageChannel();
	const cells = new Float64Array(RECEIVE_CELLS);
	onTestFinished(receiveProbes(port2, cells));
	const count = () => readReceiveDelay(cells).counts.reduce((sum, each) => sum + each, 0);
	return { port: port1, count, read: () => readReceiveDelay(cells) };
}

/** Of those counted, how many were later than `us`; a bound of the histogram. */
const laterThan = ({ bounds, counts }: ReturnType<typeof readReceiveDelay>, us: number) =>
	counts.slice(bounds.indexOf(us) + 1).reduce((sum, each) => sum + each, 0);

test('probes go out to every port until they are stopped', () => {
	vi.useFakeTimers();
	onTestFinished(() => {
		vi.useRealTimers();
	});
	const ports = [{ postMessage: vi.fn() }, { postMessage: vi.fn() }];
	const stop = sendProbes(ports);
	vi.advanceTimersByTime(1000);
	stop();
	vi.advanceTimersByTime(1000);
	for (const { postMessage } of ports) expect(postMessage).toHaveBeenCalledTimes(20);
});

test('a loop that is blocked reads a probe as late as it was blocked', async () => {
	const { port, count, read } = newProbe();
	const [seconds, nanoseconds] = process.hrtime();
	port.postMessage(seconds * 1e6 + nanoseconds / 1e3);
	const end = performance.now() + 60;
	while (performance.now() < end);
	expect(count(), 'nothing is read while it is blocked').toBe(0);
	await vi.waitUntil(() => count() === 1);
	expect(laterThan(read(), 50_000)).toBe(1);
	expect(read().sum).toBeGreaterThanOrEqual(60_000);
});

test('a delay beyond the last bound is counted, one of a clock that seems to go back is none', async () => {
	const { port, count, read } = newProbe();
	port.postMessage(-1e12);
	port.postMessage(1e18);
	await vi.waitUntil(() => count() === 2);
	expect(read().counts.at(-1)).toBe(1);
	expect(read().counts[0]).toBe(1);
});
