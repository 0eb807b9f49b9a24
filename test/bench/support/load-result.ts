/** A result of the load generator with the parts that a test cares about. */

import type { LoadResult } from '../../../bench/harness/load.js';
import { percentilesOf } from '../../../bench/harness/merge-loads.js';

export function loadResult(parts: Partial<LoadResult> = {}): LoadResult {
	const completed = parts.completed ?? 100;
	const histogram = parts.histogram ?? [[100, completed]];
	return {
		seconds: 1,
		intended: completed,
		sent: completed,
		completed,
		in_time: completed,
		errors: {},
		unanswered: 0,
		retries: 0,
		missed: 0,
		is_void: false,
		completed_per_second: completed,
		latency_us: percentilesOf(histogram),
		histogram,
		timeline: [],
		groups: [],
		sent_bytes: 0,
		received_bytes: 0,
		generator_utilisation: 0.5,
		...parts,
	};
}
