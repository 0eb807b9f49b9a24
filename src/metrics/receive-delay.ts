/**
 * How long bytes lie readable before the loop of an I/O thread reads them. uWebSockets does not say when the kernel had them, so a probe
 * goes the same way: the main thread sends its time, which makes a descriptor of that loop readable as bytes of a socket would be, and the
 * loop comes to both in one poll. A loop that is busy comes late to either.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Histogram } from '../native/addon.js';
import { monotonicUs } from './monotonic.js';

const INTERVAL_MS = 50;

const BOUNDS_US = [
	...[20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
	...[100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000],
];
const SUM = BOUNDS_US.length + 1;

/** A count for each bound and one for what is above, then the sum. */
export const RECEIVE_CELLS = SUM + 1;

/** Main thread: a probe to every port now and then. @returns what stops it */
export function sendProbes(ports: readonly Pick<MessagePort, 'postMessage'>[]): () => void {
	const timer = setInterval(() => {
		for (const port of ports) port.postMessage(monotonicUs());
	}, INTERVAL_MS).unref();
	return () => clearInterval(timer);
}

/** I/O thread: counts in `cells` how late each probe is read. @returns what stops it */
export function receiveProbes(port: MessagePort, cells: Float64Array): () => void {
	port.on('message', (sentUs: number) => record(cells, Math.max(0, monotonicUs() - sentUs)));
	port.unref();
	return () => port.close();
}

/** In µs; whichever thread asks. */
export const readReceiveDelay = (cells: Float64Array): Histogram => ({
	bounds: BOUNDS_US,
	counts: [...cells.subarray(0, SUM)],
	sum: cells[SUM] as number,
});

function record(cells: Float64Array, delayUs: number): void {
	const above = BOUNDS_US.findIndex((bound) => delayUs <= bound);
	const bucket = above < 0 ? BOUNDS_US.length : above;
	cells[bucket] = (cells[bucket] as number) + 1;
	cells[SUM] = (cells[SUM] as number) + delayUs;
}
