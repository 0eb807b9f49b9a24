/** What each thread counts, in memory that all threads share: a row per thread, written by it alone and read by whoever scrapes. */
import { catalogue, codeName, type ErrorCode } from '../errors.js';
import { RECEIVE_CELLS } from './receive-delay.js';

/** Plain numbers suffice: a row has one writer, and an aligned 64-bit store is never seen half done. */
const cellOf = {
	/** Open connections that have not become WebSockets. */
	httpConnections: 0,
	/** Open WebSocket connections. */
	rpcConnections: 1,
	rpcFrames: 2,
	httpRequests: 3,
	receivedBytes: 4,
	sentBytes: 5,
	/** Connections cut off because their peer did not read its answers. */
	slowConsumers: 6,
	/** Bytes of answers that wait for peers to read. */
	backlogBytes: 7,
	/** Unary calls and messages of streams that asked for `infer`. */
	grpcRequests: 8,
	/** All other gRPC calls. */
	grpcCalls: 9,
} as const;

export type Count = keyof typeof cellOf;

const ERRORS_AT = 10;
const ERROR_CELLS = 40;
const LOOP_AT = ERRORS_AT + ERROR_CELLS;
const LOOP_CELLS = 8;
const RECEIVE_AT = LOOP_AT + LOOP_CELLS;
/** A multiple of 128 bytes, so that two threads never write to one pair of cache lines. */
const ROW_CELLS = 80;
const CELL_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** What the transports of one thread count. */
export class Traffic {
	readonly #cells: Float64Array;

	/** @param cells a whole row */
	constructor(cells: Float64Array) {
		this.#cells = cells;
	}

	add(count: Count, change = 1): void {
		this.#cells[cellOf[count]] = this.read(count) + change;
	}

	read(count: Count): number {
		return this.#cells[cellOf[count]] as number;
	}

	/** An error found before the engine was asked. */
	addError(code: ErrorCode): void {
		const cell = ERRORS_AT + catalogue[code].number;
		this.#cells[cell] = (this.#cells[cell] as number) + 1;
	}

	/** Errors by code; codes that never came up are absent. */
	errors(): Record<string, number> {
		const counts = [...this.#cells.subarray(ERRORS_AT, ERRORS_AT + ERROR_CELLS)];
		const named = counts.map((count, number) => [codeName(number), count] as const);
		return Object.fromEntries(named.filter(([, count]) => count > 0));
	}
}

export interface ThreadRow {
	readonly traffic: Traffic;
	/** Written and read by loop-monitor.ts. */
	readonly loop: Float64Array;
	/** Written and read by receive-delay.ts. */
	readonly receive: Float64Array;
}

/** Rows of so many threads; the buffer goes to them as it is. */
export const createRows = (threads: number): SharedArrayBuffer => new SharedArrayBuffer(threads * ROW_CELLS * CELL_BYTES);

export function rowsOf(buffer: SharedArrayBuffer): ThreadRow[] {
	return Array.from({ length: buffer.byteLength / (ROW_CELLS * CELL_BYTES) }, (_, thread) => {
		const cells = new Float64Array(buffer, thread * ROW_CELLS * CELL_BYTES, ROW_CELLS);
		return {
			traffic: new Traffic(cells),
			loop: cells.subarray(LOOP_AT, LOOP_AT + LOOP_CELLS),
			receive: cells.subarray(RECEIVE_AT, RECEIVE_AT + RECEIVE_CELLS),
		};
	});
}
