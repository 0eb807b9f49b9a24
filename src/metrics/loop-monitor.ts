/** How late the event loop of a thread runs its timers, and when it last turned; measured there, read by the thread that scrapes. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { monotonicUs } from './monotonic.js';

const INTERVAL_MS = 1000;
const RESOLUTION_MS = 10;

/** Cells of `ThreadRow.loop`. */
const TURNED_AT = 0;
const P50 = 1;
const P99 = 2;
const MAX = 3;
const WAS_READ = 4;

export interface LoopLag {
	/** Seconds, since the scrape before. */
	p50: number;
	p99: number;
	max: number;
}

/**
 * Writes once a second; what was read begins anew with the next write.
 * @param isObserved false: only that the loop turns is told
 * @returns what stops it
 */
export function monitorLoop(cells: Float64Array, isObserved = true): () => void {
	const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
	if (isObserved) delay.enable();
	const write = () => {
		cells[TURNED_AT] = monotonicUs() / 1e3;
		if (!isObserved) return;
		if (cells[WAS_READ]) delay.reset();
		cells[WAS_READ] = 0;
		// What is measured is the time from timer to timer.
		for (const [cell, percentile] of [
			[P50, 50],
			[P99, 99],
			[MAX, 100],
		] as const)
			cells[cell] = Math.max(0, delay.percentile(percentile) / 1e9 - RESOLUTION_MS / 1e3);
	};
	write();
	const timer = setInterval(write, INTERVAL_MS).unref();
	return () => {
		clearInterval(timer);
		delay.disable();
	};
}

export function readLag(cells: Float64Array): LoopLag {
	cells[WAS_READ] = 1;
	return { p50: cells[P50] as number, p99: cells[P99] as number, max: cells[MAX] as number };
}

/** How long the loop has not turned, in ms, give or take a second; 0 before it began. */
export function stalledMs(cells: Float64Array): number {
	const turnedAt = cells[TURNED_AT] as number;
	return turnedAt === 0 ? 0 : Math.max(0, monotonicUs() / 1e3 - turnedAt);
}
