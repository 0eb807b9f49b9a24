/** The typed client that gateways import: a few connections, many requests in flight on each. */
import { EngineError } from '../errors.js';
import { Operation } from '../native/addon.js';
import { type AnswerFrame, encodeRequest, fromInfer, fromRank, fromScore, toItems, toScores, toTensors } from './codec.js';
import { Connection, type PendingAnswer } from './connection.js';
import type {
	CallOptions,
	InferRequest,
	ItemsAnswer,
	RankRequest,
	RecommendRequest,
	ScoreRequest,
	ScoresAnswer,
	SimilarRequest,
	TensorsAnswer,
} from './types.js';

export interface ClientOptions {
	/** WebSockets kept open; a server spreads connections over its threads, so more than one. Default 2. */
	connections?: number;
	/** For calls that say none; 0 = wait for ever. Default 0. */
	deadlineMs?: number;
	/** How long a connection may take to stand. Default 5,000. */
	connectTimeoutMs?: number;
}

/** Ids are per connection and only need to differ among requests in flight; this many fit msgpack's shortest integers. */
const LAST_ID = 2 ** 32 - 1;

export class RankdClient {
	readonly #connections: readonly Connection[];
	readonly #deadlineMs: number;
	#lastId = 0;
	#isClosed = false;

	/** Connects with the first request. @param url `ws://host:port/rpc`, or `ws+unix:/path/to/socket:/rpc` */
	constructor(url: string, { connections = 2, deadlineMs = 0, connectTimeoutMs = 5000 }: ClientOptions = {}) {
		if (!Number.isInteger(connections) || connections < 1) throw invalid(`connections must be a whole number from 1, got ${connections}`);
		if (!/^wss?(\+unix)?:/.test(url))
			throw invalid(`the url must begin with ws:, got ${JSON.stringify(url)}; for example ws://127.0.0.1:8000/rpc`);
		this.#deadlineMs = checkedDeadline(deadlineMs);
		this.#connections = Array.from({ length: connections }, () => new Connection(url, { connectTimeoutMs }));
	}

	/** Items for a user or a history, best first.
	 *  @param pipeline `name`, `name@alias` or `name@version`
	 *  @throws EngineError `UNKNOWN_MODEL` | `INVALID_ARGUMENT` | `OVERLOADED` | `DEADLINE_EXCEEDED` | `CONNECTION_LOST`
	 *  @example const { items } = await client.recommend('packages', { history: ['cmake'], k: 5 }, { deadlineMs: 20 }) */
	async recommend(pipeline: string, request: RecommendRequest = {}, options: CallOptions = {}): Promise<ItemsAnswer> {
		return toItems(await this.#call(Operation.recommend, pipeline, request, 0, options));
	}

	/** Orders candidates for a user, or scores them in the order sent (`order: 'input'`).
	 *  @throws EngineError as `recommend`
	 *  @example const { scores } = await client.rank('packages', { user: 7, candidates, order: 'input' }) */
	rank(pipeline: string, request: RankRequest & { order: 'input' }, options?: CallOptions): Promise<ScoresAnswer>;
	rank(pipeline: string, request: RankRequest & { order?: 'best' }, options?: CallOptions): Promise<ItemsAnswer>;
	async rank(pipeline: string, request: RankRequest, options: CallOptions = {}): Promise<ItemsAnswer | ScoresAnswer> {
		const body = await this.#call(Operation.rank, pipeline, fromRank(request), request.candidates.length, options);
		return request.order === 'input' ? toScores(body) : toItems(body);
	}

	/** Items like one item, nearest first.
	 *  @throws EngineError as `recommend`, and `UNKNOWN_ITEM` */
	async similar(pipeline: string, request: SimilarRequest, options: CallOptions = {}): Promise<ItemsAnswer> {
		return toItems(await this.#call(Operation.similar, pipeline, request, 0, options));
	}

	/** Scores `B` rows with one model; the rows may share a batch with other callers.
	 *  @throws EngineError as `recommend`, and `SHAPE_MISMATCH` | `NOT_FINITE`
	 *  @example const { scores } = await client.score('fraudguard@champion', { rows }, { deadlineMs: 12 }) */
	async score(model: string, request: ScoreRequest, options: CallOptions = {}): Promise<ScoresAnswer> {
		const rows = request.rows instanceof Float32Array ? 0 : request.rows.length;
		return toScores(await this.#call(Operation.score, model, fromScore(request), rows, options));
	}

	/** Runs a model's default graph on tensors of the caller's own.
	 *  @throws EngineError as `recommend`, and `SHAPE_MISMATCH` | `MODEL_FAILED`
	 *  @example const { outputs } = await client.infer('mlp', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 64], data }] }) */
	async infer(model: string, request: InferRequest, options: CallOptions = {}): Promise<TensorsAnswer> {
		return toTensors(await this.#call(Operation.infer, model, fromInfer(request), request.inputs[0]?.shape[0] ?? 0, options));
	}

	/** Closes every connection; requests in flight fail with `CONNECTION_LOST`. May be called twice. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await Promise.all(this.#connections.map((connection) => connection.close()));
	}

	#call(operation: Operation, target: string, body: object, rows: number, options: CallOptions): Promise<AnswerFrame['body']> {
		if (this.#isClosed) return Promise.reject(new EngineError('CONNECTION_LOST', 'the client has been closed'));
		if (options.signal?.aborted) return Promise.reject(cancelled(options.signal));
		return new Promise((resolve, reject) => {
			const deadlineMs = checkedDeadline(options.deadlineMs ?? this.#deadlineMs);
			const id = this.#nextId();
			const frame = encodeRequest({ operation, id, target, deadlineMs, priority: options.priority ?? 0, rows, body });
			const connection = this.#leastLoaded();
			const forget = () => connection.forget(id);
			connection.send(id, frame, limited({ resolve, reject }, deadlineMs, options.signal, forget));
		});
	}

	#nextId(): number {
		this.#lastId = this.#lastId === LAST_ID ? 1 : this.#lastId + 1;
		return this.#lastId;
	}

	#leastLoaded(): Connection {
		return this.#connections.reduce((least, connection) => (connection.load < least.load ? connection : least));
	}
}

/** The same answer, unless its deadline passes or the caller aborts before. */
function limited(answer: PendingAnswer, deadlineMs: number, signal: AbortSignal | undefined, forget: () => void): PendingAnswer {
	const giveUp = (error: EngineError) => {
		forget();
		release();
		answer.reject(error);
	};
	const onAbort = () => giveUp(cancelled(signal));
	const onDeadline = () => giveUp(new EngineError('DEADLINE_EXCEEDED', `no answer within the deadline of ${deadlineMs} ms`));
	const timer = deadlineMs > 0 ? setTimeout(onDeadline, deadlineMs) : undefined;
	const release = () => {
		clearTimeout(timer);
		signal?.removeEventListener('abort', onAbort);
	};
	signal?.addEventListener('abort', onAbort, { once: true });
	return {
		resolve: (body) => {
			release();
			answer.resolve(body);
		},
		reject: (error) => {
			release();
			answer.reject(error);
		},
	};
}

function checkedDeadline(deadlineMs: number): number {
	if (Number.isInteger(deadlineMs) && deadlineMs >= 0 && deadlineMs < 2 ** 31) return deadlineMs;
	throw invalid(`deadlineMs must be a whole number of milliseconds from 0, got ${deadlineMs}`);
}

const cancelled = (signal: AbortSignal | undefined): EngineError =>
	new EngineError('CANCELLED', 'the caller aborted the request', { cause: signal?.reason });

const invalid = (message: string): EngineError => new EngineError('INVALID_ARGUMENT', message);
