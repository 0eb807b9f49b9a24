/** The addon's raw face: what `native/napi/` exports, method by method. `engine.ts` beside it is the friendly one. */

/** How a body is written; the numbers are `wire::Codec`. `oip`: an Open Inference Protocol body, JSON with binary tensors behind it. */
export const Codec = { msgpack: 0, json: 1, oip: 2 } as const;
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
	/** Whether compute workers and I/O threads have a core each: then a turn with too much work shares it. Default false. */
	workersHaveCores?: boolean;
	/** Work that is expected to take longer, and cannot be cut into slices, goes to a compute worker. Default 500. */
	shortWorkUs?: number;
	/** A request that is expected to wait longer is refused, whatever its deadline. Default 1,000. */
	maxWaitMs?: number;
	/** Largest request frame or body. Default 8 MiB. */
	maxFrameBytes?: number;
	/** Largest body of the codec `oip`, whose tensors may be pictures. Default 64 MiB. */
	maxOipBytes?: number;
	/** Deadline of requests that bring none; 0 = none. Default 0. */
	defaultDeadlineMs?: number;
	/** False: the engine counts nothing and `stats` stays at zero; answers keep their timing. Default true. */
	observe?: boolean;
	/** Memory per model for what ranking graphs compute of items alone, computed at load; 0 = graphs run as they are. Default 1,024. */
	precomputeMib?: number;
	/** Memory for responses of models whose manifest says `infer.response_cache`; 0 = none are kept. Default 0. */
	responseCacheMib?: number;
	/** How long a response is kept; 0 = until there is need of its place. Default 0. */
	responseCacheTtlMs?: number;
	/** Folder of what `feedback` tells; without one, feedback is refused. */
	eventLog?: string | undefined;
	/** A segment is closed before it grows beyond. Default 64. */
	eventLogSegmentMib?: number;
	/** When written events are synced to disk; `always`: before they are accepted. Default `interval`, a second. */
	eventLogFsync?: 'never' | 'interval' | 'always';
	/** Of closed segments, the oldest beyond that are removed; 0 = all are kept. Default 0. */
	eventLogKeepMib?: number;
}

/** A tensor that a graph takes or gives; -1 is a dimension that may differ from request to request. */
export interface TensorInfo {
	name: string;
	/** As the Open Inference Protocol writes it, for example `FP32`. */
	datatype: string;
	/** Whole, the batch dimension included. */
	shape: number[];
}

export interface ModelInfo {
	name: string;
	version: string;
	kind: 'recommender' | 'scorer' | 'model';
	description: string;
	/** What `infer` takes and gives, in the graph's order; empty where it is not offered. */
	inputs: TensorInfo[];
	outputs: TensorInfo[];
	/** Rows that one run of `infer` takes along dimension 0, those of several requests together; 0 = a request is a run. */
	maxBatchSize: number;
	/** Why requests are not batched, where that was decided at load; else empty. */
	whyNotBatched: string;
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
	/** Requests replayed at load to warm it: golden ones, and recorded ones of the version before. */
	warmedRequests: number;
	/** Of these, refused: recorded requests may ask for what this version does not know. */
	warmedFailures: number;
	loadMs: number;
	/** What a batch may take now, and how long a request may wait (`Infinity`: no bound): steered when there is an SLO. */
	batchUs: number;
	waitUs: number;
	/** Memory taken by results per item that were computed at load; 0 when the graphs run as their files have them. */
	precomputedBytes: number;
}

/** What an operator says about a model; 0 or absent = not said. */
export interface ServingBounds {
	/** What 99 of 100 answers are to stay within: batches and waits are steered towards it. */
	sloP99Ms?: number;
	/** Rows (or requests, where bodies carry none) of one batch. */
	maxBatchRows?: number;
	/** Expected time of one batch. */
	maxBatchUs?: number;
	/** Expected wait above which a request is refused at the door. */
	maxWaitMs?: number;
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
	/** Executed batches by why they ended where they did: `idle`, `full`, `cost`, `budget`, `deadline` or `slice`. */
	cuts: Record<string, number>;
	/** Candidates or rows scored. */
	rows: number;
	/** Answers by word of `degraded`. */
	degraded: Record<string, number>;
	requestUs: Histogram;
	queueUs: Histogram;
	computeUs: Histogram;
	/** Requests per executed batch. */
	batchRequests: Histogram;
	/** Per batch, by stage: `decode`, `lookup`, `retrieve`, `filter`, `score`, `select`, `infer`, `log`, `encode`; stages that never ran are absent. */
	stageUs: Record<string, Histogram>;
}

export interface CountedTime {
	count: number;
	ns: number;
}

/** How often runs of one batch size took place, and how long their parts took. */
export interface BatchStats {
	batchSize: number;
	computeInput: CountedTime;
	computeInfer: CountedTime;
	computeOutput: CountedTime;
}

/** What `infer` of one version has done, in the terms of the protocol's statistics. A reload of the same version goes on counting. */
export interface InferenceStats {
	model: string;
	version: string;
	/** ms since 1970; 0 = never. */
	lastInference: number;
	/** Rows of successful requests that were computed: those from the cache are not. */
	inferenceCount: number;
	/** Runs of the graph. */
	executionCount: number;
	/** Requests answered well, from the cache included. */
	success: CountedTime;
	/** Until the failure was told. */
	fail: CountedTime;
	queue: CountedTime;
	/** These three always have the same count: requests that were computed. */
	computeInput: CountedTime;
	computeInfer: CountedTime;
	computeOutput: CountedTime;
	cacheHit: CountedTime;
	cacheMiss: CountedTime;
	/** Failed requests by reason: `REJECTED` (never executed), `CANCELED`, `BACKEND` (the graph failed), `OTHER`. */
	failures: Record<'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER', number>;
	/** Submitted and not yet executed. */
	pending: number;
	batches: BatchStats[];
	/** What the sums above are made of; `request` is `success`. */
	durationsUs: Record<'request' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput', Histogram>;
}

/** What the response cache holds, of all models that use it. */
export interface ResponseCacheStats {
	entries: number;
	bytes: number;
	limitBytes: number;
	/** For want of room, since the start. */
	evictions: number;
}

/** What became of events. */
export interface EventLogStats {
	accepted: number;
	/** Events that were refused, by why: the queue was full, the disk could not be written. */
	refusedFull: number;
	refusedFailed: number;
	/** Accepted events that could not be written before the engine was closed. */
	lost: number;
	/** Accepted and not yet written. */
	queuedEvents: number;
	queuedBytes: number;
	writtenBytes: number;
	/** Opened, and removed for want of room. */
	segments: number;
	removedSegments: number;
	/** Times that the disk refused. */
	failures: number;
	/** Why nothing can be written at this moment; empty when all is well. */
	fault: string;
}

export interface CoreStats {
	models: ModelInfo[];
	operations: OperationStats[];
	/** One per version that offers `infer`. */
	inference: InferenceStats[];
	/** Absent where there is no response cache. */
	responseCache?: ResponseCacheStats;
	/** Absent where there is no event log. */
	eventLog?: EventLogStats;
	/** Errors of requests that never reached a model (bad frame, unknown model, overload), by the catalogue's name. */
	errors: Record<string, number>;
	/** Submitted and not yet answered. */
	openRequests: number;
	/** Of these, waiting for a compute worker. */
	computeQueueLength: number;
	/** Traced requests that found no place until `takeTraces` came. */
	droppedTraces: number;
	handles: number;
	computeThreads: number;
	/** Instruction set of the kernels that serve, for example `avx2`. */
	isa: string;
	onnxruntime: string;
	draining: boolean;
}

/** One request told on its own. */
export interface SlowRequest {
	/** As the caller sent it, an integer in its digits; null when it sent none. */
	requestId: string | null;
	model: string;
	version: string;
	operation: OperationName;
	/** The catalogue's name, `OK` where it succeeded. */
	code: string;
	/** Candidates or rows scored. */
	rows: number;
	/** Requests of the batch it was part of; 0 when it was not executed. */
	batchRequests: number;
	queueUs: number;
	/** Stages of its whole batch; see `OperationStats.stageUs`. */
	stageUs: Record<string, number>;
	/** From submit until its answer was encoded. */
	totalUs: number;
	/** When it was answered, in ms since 1970. */
	at: number;
	/** W3C trace context, absent when the caller sent none. */
	traceId?: string;
	parentId?: string;
}

/** The slowest requests of the current minute and the one before. */
export interface SlowRequests {
	/** When the minute before began, in ms since 1970. */
	since: number;
	/** Slowest first. */
	requests: SlowRequest[];
}

/** A request whose caller records its trace. */
export interface TracedRequest extends SlowRequest {
	traceId: string;
	parentId: string;
}

/** One engine: models, routes, compute workers, counters. Shared by every thread of the process through its `id`. */
export interface NativeCore {
	readonly id: number;
	/**
	 * Loads and checks the bundle in a folder off the event loop; it serves when the promise resolves.
	 * @param manifest JSON in place of the folder's `manifest.json`, for a folder without one; its files are not verified by checksum
	 */
	load(path: string, manifest?: string): Promise<ModelInfo>;
	/** Takes a version out of service; its memory goes when the last running batch has ended. */
	unload(name: string, version: string): Promise<void>;
	/** Replaces the aliases of a model, `{champion: '1.0.0'}`. */
	route(name: string, aliases: Record<string, string>): void;
	/** Bounds of all versions of a model, those that are loaded later included. */
	tune(name: string, bounds: ServingBounds): void;
	/** Adds or replaces live items, msgpack `[{id, vectors?: {index: bin f32}, columns?: {"table.column": [numbers]}}]`; returns how many. */
	upsert(target: string, items: Uint8Array): number;
	/** Takes items out of every answer, msgpack `[id, …]`; returns how many were known. */
	remove(target: string, ids: Uint8Array): number;
	stats(): CoreStats;
	/** Of `stats` the models alone: cheap enough for every call that asks for a model's metadata. */
	models(): ModelInfo[];
	slowRequests(): SlowRequests;
	/** What was traced since the last call, in the order it was answered. Call it often: the places are bounded. */
	takeTraces(): TracedRequest[];
	/** Of `stats` what became of events, which is cheap; also after `close`. Undefined where there is no event log. */
	eventLog(): EventLogStats | undefined;
	/** From now on every new request is answered `DRAINING`; what was submitted before is finished. */
	drain(): void;
	/** Waits for running batches and frees everything; may be called twice. Later calls throw `ENGINE_CLOSED`. */
	close(): Promise<void>;
}

/** Answers of one flush; the object, its `slab` and its `records` are valid until the next flush of the same handle. */
export interface Flush {
	slab: Uint8Array;
	/**
	 * `recordLength` numbers per frame: ticket, offset, length, flags, of an answer's last frame the µs it queued and was computed, and of
	 * an OIP answer with binary tensors the bytes of its JSON, else 0.
	 */
	records: Uint32Array;
	/** Work is left: flush again after the loop has read its sockets. */
	more: boolean;
}

export const recordLength = 7;

/**
 * `flags` of a record: bits 0-7 the status code, bit 8 set on the last frame of a request, bit 9 on the frames of a stream, bits 16-31
 * `retry_after_ms`.
 */
export const flagsCode = (flags: number): number => flags & 0xff;
export const flagsLast = (flags: number): boolean => (flags & 0x100) !== 0;
export const flagsStream = (flags: number): boolean => (flags & 0x200) !== 0;
export const flagsRetryAfterMs = (flags: number): number => flags >>> 16;

/**
 * A ticket's place in its handle's table of open requests: small, dense, different for any two open requests, used anew after the last
 * frame. The bits above it count how often.
 */
export const ticketSlot = (ticket: number): number => ticket & 0xfffff;

/** One JavaScript thread's way into a core. */
export interface NativeHandle {
	/**
	 * Takes one request; its bytes are copied before the call returns. Without `op`, `bytes` is a whole RPC frame; with it, `bytes` is a
	 * body alone and the other arguments are the envelope. Work is only collected here: `flush` executes it.
	 * @param jsonBytes of an OIP body, how much of it is JSON; 0: none, the body is the one input; default: all
	 * @returns a ticket ≥ 0 that gets exactly one last record from a later `flush` (errors of the request included), or minus
	 *          the number of a code (`OVERLOADED`, `ENGINE_CLOSED`, `TOO_LARGE`) when nothing was taken
	 */
	submit(
		bytes: Uint8Array | ArrayBuffer,
		codec: Codec,
		op?: Operation,
		target?: string,
		deadlineMs?: number,
		requestId?: string,
		traceparent?: string,
		jsonBytes?: number,
	): number;
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
