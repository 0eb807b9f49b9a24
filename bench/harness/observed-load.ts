/** A load together with what it cost the server: CPU time and memory while the load was steady. */
import { setInterval as every } from 'node:timers/promises';
import { coresOf, type Reading, readingOf, shareBetween } from './core-time.js';
import { Unmeasurable } from './failures.js';
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

const INTERVAL_MS = 200;
/** After the warm-up: the generator itself takes a moment to start. */
const SETTLE_MS = 100;
/** /proc counts CPU time in hundredths of a second: a shorter window would be mostly rounding. */
const SHORTEST_WINDOW_MS = 350;

/**
 * Runs a closed or open load and looks at the server every now and then; what counts lies between the end of the warm-up and the end of the
 * profile. `spec` must measure for at least a second.
 * @throws Unmeasurable as `bench.load`; and when the machine is so busy that this program could not look at the server in time
 */
export async function observedLoad(
	bench: Bench,
	server: Server,
	spec: LoadSpec,
	options?: { cores?: readonly number[] },
): Promise<Observed> {
	let start = performance.now();
	const { result, readings } = await watched(server, () => {
		start = performance.now();
		return bench.load(spec, options);
	});
	const steadyFrom = start + (spec.warmup_seconds ?? 0.5) * 1000;
	const steadyTo = steadyFrom + secondsOf(spec) * 1000;
	const steady = readings.filter(({ atMs }) => atMs >= steadyFrom + SETTLE_MS && atMs <= steadyTo);
	const utilisation = utilisationOf(steady);
	return {
		result,
		serverUtilisation: utilisation,
		cpuUsPerRequest: (utilisation / result.completed_per_second) * 1e6,
		residentBytes: Math.max(...steady.map(({ residentBytes }) => residentBytes)),
	};
}

interface Look extends Reading {
	readonly residentBytes: number;
}

function utilisationOf(steady: readonly Look[]): number {
	const [first, last] = [steady[0], steady.at(-1)];
	if (!first || !last || last.atMs - first.atMs < SHORTEST_WINDOW_MS)
		throw new Unmeasurable('this machine is so busy that the bench itself could not look at the server in time: let nothing else run');
	return shareBetween(first, last).server;
}

async function watched<T>(server: Server, body: () => Promise<T>): Promise<{ result: T; readings: Look[] }> {
	const cores = coresOf(server.pid);
	const readings: Look[] = [];
	const over = new AbortController();
	const look = () => readings.push({ ...readingOf(server.cpuSeconds(), cores), residentBytes: server.residentBytes() });
	const looking = (async () => {
		for await (const _ of every(INTERVAL_MS, undefined, { signal: over.signal })) look();
	})().catch(() => {});
	try {
		return { result: await body(), readings };
	} finally {
		over.abort();
		await looking;
	}
}

function secondsOf({ load }: LoadSpec): number {
	if (load.mode === 'closed') return load.seconds;
	if (load.mode === 'open') return load.profile.reduce((sum, { seconds }) => sum + seconds, 0);
	throw new RangeError('a replayed load does not say how long it takes: use bench.load');
}
