/** The typed client that gateways import: a few connections, many requests in flight on each. */
import { EngineError } from '../errors.js';
import { Operation } from '../native/addon.js';
import { Call, type CallContext, type Caller } from './call.js';
import { checkNotAborted } from './call-limit.js';
import {
	encodeBody,
	fromEvents,
	fromInfer,
	fromRank,
	fromScore,
	toFeedback,
	toItems,
	toScores,
	toScoresPart,
	toTensors,
	type WireAnswer,
} from './codec.js';
import { type ClientOptions, checkDeadline, checkOptions } from './options.js';
import { Pool } from './pool.js';
import { RetryPolicy } from './retry-policy.js';
import { partsOf } from './stream.js';
import type {
	CallOptions,
	ClientStats,
	FeedbackAnswer,
	FeedbackEvent,
	InferRequest,
	ItemsAnswer,
	RankRequest,
	RankStreamRequest,
	RecommendRequest,
	ScoreRequest,
	ScoresAnswer,
	ScoresPart,
	SimilarRequest,
	TensorsAnswer,
} from './types.js';

export class RankdClient {
	readonly #pool: Pool;
	readonly #policy: RetryPolicy;
	readonly #calls = new Set<Call>();
	readonly #context: CallContext;
	readonly #deadlineMs: number;
	#isClosed = false;

	/** Connects with the first request. @param url of one host or of several: `ws://host:port/rpc`, or `ws+unix:/path/to/socket:/rpc` */
	constructor(url: string | readonly string[], options: ClientOptions = {}) {
		const { deadlineMs, attempts, budget, hedgeAfterMs, ...pool } = checkOptions(url, options);
		this.#deadlineMs = deadlineMs;
		this.#pool = new Pool(pool);
		this.#policy = new RetryPolicy({ attempts, budget });
		this.#context = { pool: this.#pool, policy: this.#policy, calls: this.#calls, hedgeAfterMs };
	}

	/** Items for a user or a history, best first.
	 *  @param pipeline `name`, `name@alias` or `name@version`
	 *  @throws EngineError `UNKNOWN_MODEL` | `INVALID_ARGUMENT` | `OVERLOADED` | `DEADLINE_EXCEEDED` | `CONNECTION_LOST`
	 *  @example const { items } = await client.recommend('packages', { history: ['cmake'], k: 5 }, { deadlineMs: 20 }) */
	async recommend(pipeline: string, request: RecommendRequest = {}, options: CallOptions = {}): Promise<ItemsAnswer> {
		return toItems(await this.#ask({ operation: Operation.recommend, target: pipeline, body: request, rows: 0, options }));
	}

	/** Orders candidates for a user, or scores them in the order sent (`order: 'input'`).
	 *  @throws EngineError as `recommend`
	 *  @example const { scores } = await client.rank('packages', { user: 7, candidates, order: 'input' }) */
	rank(pipeline: string, request: RankRequest & { order: 'input' }, options?: CallOptions): Promise<ScoresAnswer>;
	rank(pipeline: string, request: RankRequest & { order?: 'best' }, options?: CallOptions): Promise<ItemsAnswer>;
	async rank(pipeline: string, request: RankRequest, options: CallOptions = {}): Promise<ItemsAnswer | ScoresAnswer> {
		const rows = request.candidates.length;
		const body = await this.#ask({ operation: Operation.rank, target: pipeline, body: fromRank(request), rows, options });
		return request.order === 'input' ? toScores(body) : toItems(body);
	}

	/** Items like one item, nearest first.
	 *  @throws EngineError as `recommend`, and `UNKNOWN_ITEM` */
	async similar(pipeline: string, request: SimilarRequest, options: CallOptions = {}): Promise<ItemsAnswer> {
		return toItems(await this.#ask({ operation: Operation.similar, target: pipeline, body: request, rows: 0, options }));
	}

	/** Scores `B` rows with one model; the rows may share a batch with other callers.
	 *  @throws EngineError as `recommend`, and `SHAPE_MISMATCH` | `NOT_FINITE`
	 *  @example const { scores } = await client.score('fraudguard@champion', { rows }, { deadlineMs: 12 }) */
	async score(model: string, request: ScoreRequest, options: CallOptions = {}): Promise<ScoresAnswer> {
		const rows = rowsOf(request);
		return toScores(await this.#ask({ operation: Operation.score, target: model, body: fromScore(request), rows, options }));
	}

	/** Runs a model's default graph on tensors of the caller's own.
	 *  @throws EngineError as `recommend`, and `SHAPE_MISMATCH` | `MODEL_FAILED`
	 *  @example const { outputs } = await client.infer('mlp', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 64], data }] }) */
	async infer(model: string, request: InferRequest, options: CallOptions = {}): Promise<TensorsAnswer> {
		const rows = request.inputs[0]?.shape[0] ?? 0;
		return toTensors(await this.#ask({ operation: Operation.infer, target: model, body: fromInfer(request), rows, options }));
	}

	/** Tells what users did, so that the next model learns it: one event, or up to 1,000 at once, all or none of which are taken.
	 *  It is sent again only where it was refused, never where it may have been taken: events would count twice.
	 *  @param target the model whose answers the users saw, as in the other methods
	 *  @throws EngineError as `recommend`, and `UNSUPPORTED_OPERATION` (the server keeps no event log) | `EVENT_LOG_FAILED`
	 *  @example await client.feedback('packages', { user: 7, item: 'cmake', event: 'click', requestId }) */
	async feedback(target: string, events: FeedbackEvent | readonly FeedbackEvent[], options: CallOptions = {}): Promise<FeedbackAnswer> {
		const body = fromEvents(Array.isArray(events) ? events : [events as FeedbackEvent]);
		return toFeedback(await this.#ask({ operation: Operation.feedback, target, body, rows: 0, options }));
	}

	/** As `rank` with `order: 'input'`, part by part as they are ready. The request is sent with the first `next()`.
	 *  @throws EngineError as `rank`, from `next()`; parts that came before are good
	 *  @example for await (const { offset, scores } of client.rankStream('packages', { user: 7, candidates })) all.set(scores, offset) */
	rankStream(pipeline: string, request: RankStreamRequest, options: CallOptions = {}): AsyncGenerator<ScoresPart, void, undefined> {
		const body = { ...fromRank(request), order: 'input', stream: true };
		return this.#stream({ operation: Operation.rank, target: pipeline, body, rows: request.candidates.length, options });
	}

	/** As `score`, part by part as they are ready. The request is sent with the first `next()`.
	 *  @throws EngineError as `score`, from `next()`; parts that came before are good
	 *  @example for await (const { offset, decisions } of client.scoreStream('fraudguard', { rows })) … */
	scoreStream(model: string, request: ScoreRequest, options: CallOptions = {}): AsyncGenerator<ScoresPart, void, undefined> {
		const body = { ...fromScore(request), stream: true };
		return this.#stream({ operation: Operation.score, target: model, body, rows: rowsOf(request), options });
	}

	/** What this client has done so far, and how its connections stand. */
	stats(): ClientStats {
		const connections = this.#pool.connections.map(({ url, state, requestsInFlight }) => ({ url, state, requestsInFlight }));
		return { ...this.#policy.counts, openCalls: this.#calls.size, connections };
	}

	/** Closes every connection; calls not yet answered fail with `CONNECTION_LOST`. May be called twice. */
	async close(): Promise<void> {
		this.#isClosed = true;
		for (const call of this.#calls) call.giveUp(closed());
		await this.#pool.close();
	}

	#ask(asked: Asked): Promise<WireAnswer> {
		return new Promise((resolve, reject) => {
			this.#call(asked, { part: resolve, end: (error) => error && reject(error) });
		});
	}

	async *#stream(asked: Asked): AsyncGenerator<ScoresPart, void, undefined> {
		for await (const part of partsOf((caller) => this.#call(asked, caller))) yield toScoresPart(part);
	}

	#call({ operation, target, body, rows, options }: Asked, caller: Caller): Call {
		const { deadlineMs = this.#deadlineMs, priority = 0, signal, traceparent } = options;
		if (this.#isClosed) throw closed();
		checkNotAborted(signal);
		const traced = traceparent === undefined ? body : { ...body, traceparent };
		const request = { operation, target, priority, rows, body: encodeBody(traced) };
		const call = new Call(this.#context, request, { deadlineMs: checkDeadline(deadlineMs), signal }, caller);
		call.start();
		return call;
	}
}

/** What a method asks, before it is checked and encoded. */
interface Asked {
	operation: Operation;
	target: string;
	body: object;
	rows: number;
	options: CallOptions;
}

/** Packed rows say nothing: only the model knows their width. */
const rowsOf = ({ rows }: ScoreRequest): number => (rows instanceof Float32Array ? 0 : rows.length);

const closed = (): EngineError => new EngineError('CONNECTION_LOST', 'the client has been closed');
