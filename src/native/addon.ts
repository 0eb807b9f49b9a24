/** The addon's raw face: what `native/napi/` exports, method by method. `engine.ts` beside it is the friendly one. */

/** How a body is written; the numbers are `wire::Codec`. */
export const Codec = { msgpack: 0, json: 1 } as const;
export type Codec = (typeof Codec)[keyof typeof Codec];

/** Operations as numbered in a request frame (`wire::Operation`). */
export const Operation = { recommend: 1, rank: 2, similar: 3, score: 4, infer: 5, embed: 6, explain: 7, feedback: 8 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];
export type OperationName = keyof typeof Operation;

export interface CoreOptions {
	/** Compute workers for long work; 0 runs everything on the I/O threads. Default: CPUs - I/O threads, at least 1. */
	computeThreads?: number;
	/** Requests waiting per handle and in the compute queue before `OVERLOADED`. Default 4,096. */
	queueCapacity?: number;
	/** Work expected to take longer goes to a compute worker. Default 500. */
	shortWorkUs?: number;
	/** Largest request frame or body. Default 8 MiB. */
	maxFrameBytes?: number;
	/** Deadline of requests that bring none; 0 = none. Default 0. */
	defaultDeadlineMs?: number;
	/** False: the engine counts nothing and `stats` stays at zero; answers keep their timing. Default true. */
	observe?: boolean;
	/** Memory per model for what ranking graphs compute of items alone, computed at load; 0 = graphs run as they are. Default 1,024. */
	precomputeMib?: number;
}

export interface ModelInfo {
	name: string;
	version: string;
	kind: 'recommender' | 'scorer' | 'model';
	description: string;
	/** Names of the operations it answers, for example `recommend`. */
	operations: OperationName[];
	/** Aliases that point at this version now. */
	aliases: string[];
	items: number;
	users: number;
	/** Sum of the bundle's files. */
	bytes: number;
	/** Golden requests replayed at load, all within tolerance. */
	goldenPassed: number;
	loadMs: number;
	/** Memory taken by results per item that were computed at load; 0 when the graphs run as their files have them. */
	precomputedBytes: number;
}

/** Counts per bucket; `counts[i]` holds values ≤ `bounds[i]`, one more count for the rest. Not cumulative. */
export interface Histogram {
	bounds: number[];
	counts: number[];
	sum: number;
}

export interface OperationStats {
	model: string;
	version: string;
	operation: OperationName;
	/** Answered requests, errors included. */
	requests: number;
	/** Error answers by the catalogue's name. */
	errors: Record<string, number>;
	/** Candidates or rows scored. */
	rows: number;
	/** Answers by word of `degraded`. */
	degraded: Record<string, number>;
	requestUs: Histogram;
	queueUs: Histogram;
	computeUs: Histogram;
	/** Requests per executed batch. */
	batchRequests: Histogram;
}

export interface CoreStats {
	models: ModelInfo[];
	operations: OperationStats[];
	/** Errors of requests that never reached a model (bad frame, unknown model, overload), by the catalogue's name. */
	errors: Record<string, number>;
	/** Submitted and not yet answered. */
	openRequests: number;
	/** Of these, waiting for a compute worker. */
	computeQueueLength: number;
	handles: number;
	computeThreads: number;
	/** Instruction set of the kernels that serve, for example `avx2`. */
	isa: string;
	onnxruntime: string;
	draining: boolean;
}

/** One engine: models, routes, compute workers, counters. Shared by every thread of the process through its `id`. */
export interface NativeCore {
	readonly id: number;
	/** Loads and checks the bundle in a folder off the event loop; it serves when the promise resolves. */
	load(path: string): Promise<ModelInfo>;
	/** Takes a version out of service; its memory goes when the last running batch has ended. */
	unload(name: string, version: string): Promise<void>;
	/** Replaces the aliases of a model, `{champion: '1.0.0'}`. */
	route(name: string, aliases: Record<string, string>): void;
	/** Adds or replaces live items, msgpack `[{id, vectors?: {index: bin f32}, columns?: {"table.column": [numbers]}}]`; returns how many. */
	upsert(target: string, items: Uint8Array): number;
	/** Takes items out of every answer, msgpack `[id, …]`; returns how many were known. */
	remove(target: string, ids: Uint8Array): number;
	stats(): CoreStats;
	/** From now on every new request is answered `DRAINING`; what was submitted before is finished. */
	drain(): void;
	/** Waits for running batches and frees everything; may be called twice. Later calls throw `ENGINE_CLOSED`. */
	close(): Promise<void>;
}

/** Answers of one flush. `slab` and `records` are valid until the next flush of the same handle. */
export interface Flush {
	slab: Uint8Array;
	/** Four numbers per answer: ticket, offset, length, flags. */
	records: Uint32Array;
	/** Work is left: flush again after the loop has read its sockets. */
	more: boolean;
}

/** `flags` of a record: bits 0-7 the status code, bit 8 set on the last frame of a request, bits 16-31 `retry_after_ms`. */
export const flagsCode = (flags: number): number => flags & 0xff;
export const flagsLast = (flags: number): boolean => (flags & 0x100) !== 0;
export const flagsRetryAfterMs = (flags: number): number => flags >>> 16;

/** One JavaScript thread's way into a core. */
export interface NativeHandle {
	/**
	 * Takes one request; its bytes are copied before the call returns. Without `op`, `bytes` is a whole RPC frame; with it, `bytes` is a
	 * body alone and the other arguments are the envelope. Work is only collected here: `flush` executes it.
	 * @returns a ticket ≥ 0 that gets exactly one last record from a later `flush` (errors of the request included), or minus
	 *          the number of a code (`OVERLOADED`, `ENGINE_CLOSED`, `TOO_LARGE`) when nothing was taken
	 */
	submit(bytes: Uint8Array | ArrayBuffer, codec: Codec, op?: Operation, target?: string, deadlineMs?: number, requestId?: string): number;
	/** The caller has gone: unstarted work is dropped and counted, no record comes for this ticket. @returns whether it was open */
	cancel(ticket: number): boolean;
	/** Executes collected short work for about `budgetUs` and returns every finished answer, long work's included. */
	flush(budgetUs: number): Flush;
	/** `callback` runs on this thread when long work has finished: one call, however many batches wait. */
	onReady(callback: () => void): void;
	/** Drops open tickets and leaves the core; may be called twice. */
	detach(): void;
}

export interface CatalogueEntry {
	number: number;
	name: string;
	httpStatus: number;
	retryable: boolean;
}

export interface Addon {
	createCore(options: CoreOptions): NativeCore;
	/** The core of another thread, by its id. @throws `INVALID_HANDLE` when it does not exist */
	core(id: number): NativeCore;
	attach(coreId: number): NativeHandle;
	catalogue(): CatalogueEntry[];
	/** Ends the process at once: no exit handler, no other thread runs any more. `process.exit` would abort while a worker has a live app. */
	exitNow(code: number): never;
}
