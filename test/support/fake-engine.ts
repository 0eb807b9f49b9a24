/** An engine without C++: answers each request as it is told, one flush later, and writes down what it was asked. */
import { pack, unpack } from 'msgpackr';
import { type CodeName, catalogue } from '../../src/errors.js';
import {
	Codec,
	type CoreStats,
	type Flush,
	type ModelInfo,
	type NativeHandle,
	type SlowRequest,
	type SlowRequests,
} from '../../src/native/addon.js';

export interface FakeRequest {
	ticket: number;
	bytes: Buffer;
	codec: Codec;
	operation: number | undefined;
	target: string | undefined;
	deadlineMs: number | undefined;
	requestId: string | undefined;
	traceparent: string | undefined;
	jsonBytes: number | undefined;
}

export interface FakeAnswer {
	code?: CodeName;
	retryAfterMs?: number;
	queueUs?: number;
	computeUs?: number;
	/** Of an OIP answer, bytes as they are; else encoded as the request was. */
	body?: unknown;
	jsonBytes?: number;
}

interface FakeFrame {
	ticket: number;
	bytes: Buffer;
	flags: number;
	queueUs: number;
	computeUs: number;
	jsonBytes: number;
}

export const fakeModel: ModelInfo = {
	name: 'tiny',
	version: '1.0.0',
	kind: 'recommender',
	description: 'a model of the tests',
	operations: ['recommend', 'rank'],
	inputs: [],
	outputs: [],
	maxBatchSize: 0,
	whyNotBatched: '',
	aliases: ['champion'],
	items: 3,
	users: 2,
	bytes: 100,
	goldenPassed: 1,
	batchUs: 5000,
	waitUs: Number.POSITIVE_INFINITY,
	warmedRequests: 4,
	warmedFailures: 0,
	loadMs: 2.5,
	precomputedBytes: 0,
};

export class FakeEngine implements NativeHandle {
	/** Every request in the order it came. */
	readonly requests: FakeRequest[] = [];
	readonly cancelled: number[] = [];
	/** How many frames each flush gave. */
	readonly flushes: number[] = [];
	served: ModelInfo[] = [fakeModel];
	slow: SlowRequest[] = [];
	/** One answer, or the frames of a stream. */
	answer: (request: FakeRequest) => FakeAnswer | FakeAnswer[] = () => ({ body: { ok: true } });
	/** At most so many frames per flush. */
	answersPerFlush = Number.POSITIVE_INFINITY;
	/** While true, requests wait as if a compute worker had them. */
	isHeld = false;
	/** What `submit` returns instead of taking a request. */
	refusals: number[] = [];
	isDetached = false;
	isDraining = false;
	#waiting: FakeRequest[] = [];
	#frames: FakeFrame[] = [];
	#ready: () => void = () => {};

	attach(): NativeHandle {
		return this;
	}

	drain(): void {
		this.isDraining = true;
	}

	submit(
		bytes: Uint8Array | ArrayBuffer,
		codec: Codec,
		operation?: number,
		target?: string,
		deadlineMs?: number,
		requestId?: string,
		traceparent?: string,
		jsonBytes?: number,
	): number {
		const refusal = this.refusals.shift();
		if (refusal !== undefined) return -refusal;
		const copy = Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
		const request = { ticket: this.requests.length, bytes: copy, codec, operation, target, deadlineMs, requestId, traceparent, jsonBytes };
		this.requests.push(request);
		this.#waiting.push(request);
		return request.ticket;
	}

	cancel(ticket: number): boolean {
		this.cancelled.push(ticket);
		this.#waiting = this.#waiting.filter((request) => request.ticket !== ticket);
		this.#frames = this.#frames.filter((frame) => frame.ticket !== ticket);
		return true;
	}

	flush(): Flush {
		if (!this.isHeld) this.#frames.push(...this.#waiting.splice(0).flatMap((request) => this.#encode(request)));
		const now = this.isHeld ? [] : this.#frames.splice(0, this.answersPerFlush);
		this.flushes.push(now.length);
		const records: number[] = [];
		let offset = 0;
		for (const { ticket, bytes, flags, queueUs, computeUs, jsonBytes } of now) {
			records.push(ticket, offset, bytes.byteLength, flags, queueUs, computeUs, jsonBytes);
			offset += bytes.byteLength;
		}
		const slab = Buffer.concat(now.map(({ bytes }) => bytes));
		return { slab, records: Uint32Array.from(records), more: !this.isHeld && this.#frames.length > 0 };
	}

	/** Lets go of what was held, as a finished compute batch does. */
	release(): void {
		this.isHeld = false;
		this.#ready();
	}

	onReady(callback: () => void): void {
		this.#ready = callback;
	}

	detach(): void {
		this.isDetached = true;
	}

	stats(): CoreStats {
		const histogram = { bounds: [10, 20], counts: [1, 2, 3], sum: 100 };
		const operation = {
			model: 'tiny',
			version: '1.0.0',
			operation: 'recommend' as const,
			requests: 6,
			cuts: { idle: 2 },
			errors: { INVALID_BODY: 2 },
			rows: 30,
		};
		const histograms = {
			requestUs: histogram,
			queueUs: histogram,
			computeUs: histogram,
			batchRequests: { bounds: [1], counts: [4, 1], sum: 6 },
			stageUs: { decode: histogram, score: { ...histogram, counts: [0, 0, 5] } },
		};
		return {
			models: this.served,
			operations: [{ ...operation, degraded: { fallback: 1 }, ...histograms }],
			inference: [],
			errors: { UNKNOWN_MODEL: 3 },
			openRequests: this.#waiting.length,
			computeQueueLength: 0,
			droppedTraces: 2,
			handles: 1,
			computeThreads: 1,
			isa: 'scalar',
			onnxruntime: 'none',
			draining: this.isDraining,
		};
	}

	models(): ModelInfo[] {
		return this.served;
	}

	slowRequests(): SlowRequests {
		return { since: 0, requests: this.slow };
	}

	#encode(request: FakeRequest): FakeFrame[] {
		const answer = this.answer(request);
		if (!Array.isArray(answer)) return [encodeFrame(request, answer)];
		return answer.map((frame, seq) => encodeFrame(request, frame, { seq, last: seq === answer.length - 1, isStream: true }));
	}
}

function encodeFrame(
	request: FakeRequest,
	answer: FakeAnswer,
	{ seq, last, isStream } = { seq: 0, last: true, isStream: false },
): FakeFrame {
	const { code = 'OK', retryAfterMs = 0, queueUs = 0, computeUs = 0, body = {}, jsonBytes = 0 } = answer;
	const { number } = catalogue[code];
	const flags = (number | (last ? 0x100 : 0) | (isStream ? 0x200 : 0) | (retryAfterMs << 16)) >>> 0;
	return { ticket: request.ticket, bytes: encodeBody(request, body, [number, seq, last]), flags, queueUs, computeUs, jsonBytes };
}

function encodeBody({ operation, codec, bytes }: FakeRequest, body: unknown, head: unknown[]): Buffer {
	if (body instanceof Uint8Array) return Buffer.from(body);
	if (operation !== undefined) return codec !== Codec.msgpack ? Buffer.from(JSON.stringify(body)) : pack(body);
	return pack([1, (unpack(bytes) as unknown[])[2], ...head, body]);
}
