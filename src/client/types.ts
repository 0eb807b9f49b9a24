/** What callers send and get, in camelCase; `codec.ts` maps it to the wire. */
import type { ConnectionState } from './connection.js';
import type { Tensor } from './tensors.js';

/** An id as the model was trained on it: text, or an unsigned integer (a bigint beyond 2^53). */
export type Id = string | number | bigint;

export type Features = Readonly<Record<string, number>>;

/** Keeps items whose attribute is one of the ids. */
export type Filters = Readonly<Record<string, Id | readonly Id[]>>;

interface UserSide {
	/** A user the model knows; without one, or for one it does not know, `history` alone decides. */
	user?: Id;
	/** Oldest first; replaces the published history. */
	history?: readonly Id[];
	/** Numbers about the user. */
	features?: Features;
	/** Numbers about the moment. */
	context?: Features;
	/** Never in the answer. */
	exclude?: readonly Id[];
	filters?: Filters;
}

export interface RecommendRequest extends UserSide {
	/** How many items; default: the pipeline's, usually 10. */
	k?: number;
}

export interface Candidate {
	id: Id;
	features?: Features;
}

export interface RankRequest extends UserSide {
	/** Ids, ids with features, rows of the bundle's item table (Uint32Array), or integer ids (BigUint64Array). */
	candidates: readonly Id[] | readonly Candidate[] | Uint32Array | BigUint64Array;
	query?: string;
	/** `best` (default) sorts and cuts to k; `input` gives one score per candidate, in the order sent. */
	order?: 'best' | 'input';
	k?: number;
}

/** Scores come in the order sent, so there is nothing to order or to cut. */
export type RankStreamRequest = Omit<RankRequest, 'order' | 'k'>;

export interface SimilarRequest {
	item: Id;
	k?: number;
}

export interface ScoreRequest {
	/** Row-major float32 `[B, F]`, columns in manifest order; or one map or list per row. */
	rows: Float32Array | readonly Features[] | readonly (readonly number[])[];
}

/** One thing that a user did with an item. */
export interface FeedbackEvent {
	item: Id;
	/** What was done, for example `click`: up to 64 of a to z, 0 to 9, `_`, `.` and `-`. */
	event: string;
	user?: Id;
	/** How much of it: a rating, a price, seconds. */
	value?: number;
	/** The `requestId` of the answer in which the user saw the item. */
	requestId?: Id;
}

export interface InferRequest {
	/** One tensor for each input of the model's default graph. */
	inputs: readonly Tensor[];
	/** The names of the outputs to compute; default: all of them. */
	outputs?: readonly string[];
}

/** Why an answer is not the best the model could give. */
export type DegradedReason =
	| 'unknown_user'
	| 'unknown_items'
	| 'no_history'
	| 'fallback'
	| 'short_catalogue'
	| 'seen_filter_relaxed'
	| 'model_failed';

export interface Timing {
	/** From submit to the start of execution. */
	queueUs: number;
	/** Of the batch this request was part of. */
	computeUs: number;
	totalUs: number;
}

interface Answer {
	requestId: Id | null;
	model: string;
	version: string;
	degraded: DegradedReason[];
	timing: Timing;
}

export interface ScoredItem {
	id: Id;
	score: number;
	/** The retrieval source that found it; absent for `rank`. */
	source?: string;
}

/** Items, best first. */
export interface ItemsAnswer extends Answer {
	items: ScoredItem[];
}

/** One score per candidate or row, in the order sent; NaN for an unknown candidate. */
export interface ScoresAnswer extends Answer {
	scores: Float32Array;
	/** One word per score, when the model has thresholds. */
	decisions?: string[];
}

/** Some of the scores of a stream, complete in themselves. */
export interface ScoresPart extends ScoresAnswer {
	/** The place of the first of these scores among all of the request. */
	offset: number;
}

/** Events that the server has taken; `degraded` has `unknown_items` where the model does not know one of them. */
export interface FeedbackAnswer extends Answer {
	accepted: number;
}

/** The outputs asked for, in that order. */
export interface TensorsAnswer extends Answer {
	outputs: Tensor[];
}

export interface CallOptions {
	/** How long the answer is worth waiting for: sent along, and enforced here. Default: the client's. */
	deadlineMs?: number;
	/** Gives the request up; the promise rejects with `CANCELLED`. */
	signal?: AbortSignal;
	/** 1 = most urgent … 9 = least; 0 = default. */
	priority?: number;
	/** The caller's place in a trace, as W3C Trace Context writes it: the server logs the request under it when it is sampled. */
	traceparent?: string;
}

/** Counts since the client was made, and its state now. */
export interface ClientStats {
	/** Calls that were sent. */
	requests: number;
	/** Sent again after a failure. */
	retries: number;
	/** Copies sent because the answer took long. */
	hedges: number;
	/** Calls not ended yet. */
	openCalls: number;
	connections: ConnectionStats[];
}

export interface ConnectionStats {
	url: string;
	state: ConnectionState;
	requestsInFlight: number;
}
