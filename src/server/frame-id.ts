/** The id of a request frame that nobody decodes. */
import { Unpackr } from 'msgpackr';
import type { RequestId } from '../errors.js';

const unpackr = new Unpackr({ useRecords: false });

/** Elements of `[1, op, id, …]` before the id. */
const ELEMENTS_BEFORE = 2;

/** @returns the id as it came; null when there is none or the frame is broken before it */
export function frameId(frame: ArrayBuffer): RequestId {
	let id: unknown = null;
	let element = 0;
	try {
		// Behind the array's own byte its elements stand one after the other; the body is not read.
		unpackr.unpackMultiple(new Uint8Array(frame, 1), (value) => {
			if (element++ < ELEMENTS_BEFORE) return true;
			id = value;
			return false;
		});
	} catch {
		return null;
	}
	return typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint' ? id : null;
}
