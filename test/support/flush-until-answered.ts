/** What one open request is answered with: a flush stops at its budget, which a busy machine may spend before any work is done. */
import type { Flush, NativeHandle } from '../../src/native/addon.js';

const BUDGET_US = 1_000_000;

export function flushUntilAnswered(handle: NativeHandle): Flush {
	let flushed = handle.flush(BUDGET_US);
	while (flushed.records.length === 0 && flushed.more) flushed = handle.flush(BUDGET_US);
	return flushed;
}
