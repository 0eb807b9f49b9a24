/** A load together with what it cost the server: CPU time and memory while the load was steady. */
import { setTimeout as delay } from 'node:timers/promises';
import { coresOf, readingOf, shareBetween } from './core-time.js';
import type { LoadResult, LoadSpec } from './load.js';
import type { Bench } from './question.js';
import type { Server } from './server.js';

export interface Observed {
	result: LoadResult;
	/** CPU seconds per second that the whole server caused, its sockets' interrupts included: 1 = one core is full. */
	serverUtilisation: number;
	/** CPU time of the server per completed request. */
	cpuUsPerRequest: number;
	residentBytes: number;
}

/** /proc counts CPU time in hundredths of a second: a shorter window would be mostly rounding. */
const SHORTEST_WINDOW_S = 0.5;

/**
 * Runs a closed or open load; looks at the server in the middle of it, where neither warm-up nor the end disturb.
 * `spec` must measure for at least a second.
 */
export async function observedLoad(
	bench: Bench,
	server: Server,
	spec: LoadSpec,
	options?: { cores?: readonly number[] },
): Promise<Observed> {
	const seconds = secondsOf(spec);
	const over = new AbortController();
	const watching = watch(server, { from: (spec.warmup_seconds ?? 0.5) + 0.2 * seconds, seconds: 0.7 * seconds }, over.signal);
	// Should the load fail, that is the error to tell.
	watching.catch(() => {});
	try {
		const result = await bench.load(spec, options);
		const { utilisation, residentBytes } = await watching;
		return {
			result,
			serverUtilisation: utilisation,
			cpuUsPerRequest: (utilisation / result.completed_per_second) * 1e6,
			residentBytes,
		};
	} finally {
		over.abort();
	}
}

async function watch(server: Server, { from, seconds }: { from: number; seconds: number }, signal: AbortSignal) {
	const cores = coresOf(server.pid);
	await delay(from * 1000, undefined, { signal });
	const before = readingOf(server.cpuSeconds(), cores);
	await delay(Math.max(SHORTEST_WINDOW_S, seconds) * 1000, undefined, { signal });
	const { server: utilisation } = shareBetween(before, readingOf(server.cpuSeconds(), cores));
	return { utilisation, residentBytes: server.residentBytes() };
}

function secondsOf({ load }: LoadSpec): number {
	if (load.mode === 'closed') return load.seconds;
	if (load.mode === 'open') return load.profile.reduce((sum, { seconds }) => sum + seconds, 0);
	throw new RangeError('a replayed load does not say how long it takes: use bench.load');
}
