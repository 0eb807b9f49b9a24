/** A client of the Open Inference Protocol v2 over HTTP: of rankd, and of any other server that speaks it. */
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../errors.js';
import { CallLimit, checkNotAborted } from './call-limit.js';
import { decodeInfer, decodeStatistics, encodeInfer, parseJson } from './oip-codec.js';
import { errorOf } from './oip-error.js';
import { type OipCall, OipHttp, type OipReply } from './oip-http.js';
import type {
	LoadOptions,
	ModelMetadata,
	ModelStatistics,
	OipInferAnswer,
	OipInferRequest,
	RepositoryEntry,
	ServerMetadata,
	UnloadOptions,
} from './oip-types.js';
import { checkDeadline, checkOipOptions, type OipClientOptions } from './options.js';
import { isWorthRepeating, RetryPolicy } from './retry-policy.js';
import type { CallOptions } from './types.js';

type ProbeOptions = Pick<CallOptions, 'deadlineMs' | 'signal'>;

export class OipClient {
	readonly #http: OipHttp;
	readonly #policy: RetryPolicy;
	readonly #deadlineMs: number;
	/** Calls not yet answered. */
	readonly #open = new Set<AbortController>();
	#isClosed = false;

	/**
	 * Connects with the first call.
	 * @param url of one server or of several that are asked in turn: `http://host:8000`, with a path where a proxy wants one
	 * @throws EngineError `INVALID_ARGUMENT`
	 */
	constructor(url: string | readonly string[], options: OipClientOptions = {}) {
		const { bases, connections, deadlineMs, attempts, budget } = checkOipOptions(url, options);
		this.#http = new OipHttp(bases, connections);
		this.#policy = new RetryPolicy({ attempts, budget });
		this.#deadlineMs = deadlineMs;
	}

	/** Runs a model on tensors of the caller's own; they travel as bytes both ways.
	 *  @param target `name`, `name@version` or, of rankd, `name@alias`
	 *  @throws EngineError with the server's code: `UNKNOWN_MODEL` | `INVALID_ARGUMENT` | `OVERLOADED` | `DEADLINE_EXCEEDED` | `CONNECTION_LOST` …
	 *  @example const sums = dataOf(await client.infer('simple', { inputs: [a, b] }), 'OUTPUT0', 'INT32') */
	async infer(target: string, request: OipInferRequest, options: CallOptions = {}): Promise<OipInferAnswer> {
		const { bytes, jsonBytes } = encodeInfer(request, options.priority);
		const { traceparent } = options;
		const headers = { 'Inference-Header-Content-Length': String(jsonBytes), ...(traceparent !== undefined && { traceparent }) };
		const reply = await this.#ask({ method: 'POST', path: `${pathOf(target)}/infer`, body: bytes, headers }, options);
		const header = reply.headers['inference-header-content-length'];
		return decodeInfer(reply.body, header === undefined ? undefined : Number(header));
	}

	serverMetadata(options?: ProbeOptions): Promise<ServerMetadata> {
		return this.#get('/v2', options);
	}

	/** @throws EngineError `CONNECTION_LOST` when nobody answers */
	isLive(options?: ProbeOptions): Promise<boolean> {
		return this.#probe('/v2/health/live', options);
	}

	/** Whether the server takes requests. @throws EngineError `CONNECTION_LOST` when nobody answers */
	isReady(options?: ProbeOptions): Promise<boolean> {
		return this.#probe('/v2/health/ready', options);
	}

	/** Whether a model serves; one that is not there does not. @throws EngineError `CONNECTION_LOST` when nobody answers */
	modelReady(target: string, options?: ProbeOptions): Promise<boolean> {
		return this.#probe(`${pathOf(target)}/ready`, options);
	}

	/** @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	modelMetadata(target: string, options?: ProbeOptions): Promise<ModelMetadata> {
		return this.#get(pathOf(target), options);
	}

	/** The model's configuration in protobuf's JSON, names in snake_case, every default written out. */
	modelConfig(target: string, options?: ProbeOptions): Promise<Readonly<Record<string, unknown>>> {
		return this.#get(`${pathOf(target)}/config`, options);
	}

	/** @param target default: every version that serves */
	async statistics(target?: string, options?: ProbeOptions): Promise<ModelStatistics[]> {
		return decodeStatistics(await this.#get(target === undefined ? '/v2/models/stats' : `${pathOf(target)}/stats`, options));
	}

	/** What the server's repositories hold. */
	index({ ready = false, ...options }: { ready?: boolean } & ProbeOptions = {}): Promise<RepositoryEntry[]> {
		return this.#post('/v2/repository/index', { ready }, options);
	}

	/** Loads or reloads a model; resolves when it serves. Sent once: what fails is told, not repeated. */
	async load(name: string, { config, files = {} }: LoadOptions = {}, options: ProbeOptions = {}): Promise<void> {
		const overrides = Object.entries(files).map(([path, bytes]) => [`file:${path}`, Buffer.from(bytes).toString('base64')]);
		const parameters = { ...(config && { config: JSON.stringify(config) }), ...Object.fromEntries(overrides) };
		await this.#post(`/v2/repository/models/${encodeURIComponent(name)}/load`, { parameters }, options);
	}

	/** Takes a model out of service. Sent once. */
	async unload(name: string, { unloadDependents = false }: UnloadOptions = {}, options: ProbeOptions = {}): Promise<void> {
		const parameters = { unload_dependents: unloadDependents };
		await this.#post(`/v2/repository/models/${encodeURIComponent(name)}/unload`, { parameters }, options);
	}

	/** Closes every connection; calls not yet answered fail with `CONNECTION_LOST`. May be called twice. */
	close(): void {
		this.#isClosed = true;
		for (const call of this.#open) call.abort(closed());
		this.#http.close();
	}

	async #get<T>(path: string, options: ProbeOptions = {}): Promise<T> {
		return parseJson((await this.#ask({ method: 'GET', path }, options)).body) as T;
	}

	async #post<T>(path: string, value: object, options: ProbeOptions): Promise<T> {
		const body = Buffer.from(JSON.stringify(value));
		const call: OipCall = { method: 'POST', path, body, headers: { 'Content-Type': 'application/json' } };
		const reply = await this.#limited(options, (signal) => this.#http.send(call, signal));
		if (reply.status !== 200) throw errorOf(reply);
		return (reply.body.byteLength === 0 ? undefined : parseJson(reply.body)) as T;
	}

	/** A refusal is an answer to a probe. */
	async #probe(path: string, options: ProbeOptions = {}): Promise<boolean> {
		const { status } = await this.#limited(options, (signal) => this.#http.send({ method: 'GET', path }, signal));
		return status === 200;
	}

	/** Sends what may be sent again, again, until it has an answer or nothing more can be done. */
	#ask(call: OipCall, options: CallOptions): Promise<OipReply> {
		this.#policy.started();
		return this.#limited(options, async (signal, limit) => {
			for (let sent = 1; ; sent++) {
				const reply = await this.#attempt(call, signal, limit);
				if (!(reply instanceof EngineError)) return reply;
				const waitMs = isWorthRepeating(reply) ? this.#policy.takeRetry(reply, sent, limit.leftMs) : undefined;
				if (waitMs === undefined) throw reply;
				await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
			}
		});
	}

	async #attempt(call: OipCall, signal: AbortSignal, { leftMs }: CallLimit): Promise<OipReply | EngineError> {
		const headers = Number.isFinite(leftMs) ? { ...call.headers, 'X-Deadline-Ms': String(Math.max(1, Math.ceil(leftMs))) } : call.headers;
		try {
			const reply = await this.#http.send({ ...call, ...(headers && { headers }) }, signal);
			return reply.status === 200 ? reply : errorOf(reply);
		} catch (thrown) {
			signal.throwIfAborted();
			return EngineError.from(thrown);
		}
	}

	/** @param run gets a signal that ends with the deadline, with the caller's own, or with the client */
	async #limited<T>(options: ProbeOptions, run: (signal: AbortSignal, limit: CallLimit) => Promise<T>): Promise<T> {
		const { deadlineMs = this.#deadlineMs, signal } = options;
		checkNotAborted(signal);
		if (this.#isClosed) throw closed();
		const controller = new AbortController();
		const limit = new CallLimit({ deadlineMs: checkDeadline(deadlineMs), signal }, { giveUp: (error) => controller.abort(error) });
		this.#open.add(controller);
		try {
			return await run(controller.signal, limit);
		} finally {
			limit.release();
			this.#open.delete(controller);
		}
	}
}

const closed = (): EngineError => new EngineError('CONNECTION_LOST', 'the client has been closed');

/** Triton knows digits as versions; whatever else stands behind `@` is part of the name, which rankd takes apart. */
function pathOf(target: string): string {
	const [, name, version] = /^(.+)@(\d+)$/.exec(target) ?? [];
	const model = `/v2/models/${encodeURIComponent(name ?? target)}`;
	return version === undefined ? model : `${model}/versions/${version}`;
}
