/** One clock for all threads, which nobody sets: `performance.now` counts from each thread's own birth. */
export function monotonicUs(): number {
	const [seconds, nanoseconds] = process.hrtime();
	return seconds * 1e6 + nanoseconds / 1e3;
}
