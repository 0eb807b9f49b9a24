/** An engine without C++: answers each request as it is told, one flush later, and writes down what it was asked. */
import { pack, unpack } from 'msgpackr';
import { type CodeName, catalogue } from '../../src/errors.js';
import { Codec, type CoreStats, type Flush, type ModelInfo, type NativeHandle } from '../../src/native/addon.js';

export interface FakeRequest {
	ticket: number;
	bytes: Buffer;
	codec: Codec;
	operation: number | undefined;
	target: string | undefined;
	deadlineMs: number | undefined;
	requestId: string | undefined;
}

export interface FakeAnswer {
	code?: CodeName;
	retryAfterMs?: number;
	body?: unknown;
}

export const fakeModel: ModelInfo = {
	name: 'tiny',
	version: '1.0.0',
	kind: 'recommender',
	description: 'a model of the tests',
	operations: ['recommend', 'rank'],
	aliases: ['champion'],
	items: 3,
	users: 2,
	bytes: 100,
	goldenPassed: 1,
	loadMs: 2.5,
	precomputedBytes: 0,
};

export class FakeEngine implements NativeHandle {
	/** Every request in the order it came. */
	readonly requests: FakeRequest[] = [];
	readonly cancelled: number[] = [];
	/** How many requests each flush answered. */
	readonly flushes: number[] = [];
	models: ModelInfo[] = [fakeModel];
	answer: (request: FakeRequest) => FakeAnswer = () => ({ body: { ok: true } });
	/** At most so many answers per flush. */
	answersPerFlush = Number.POSITIVE_INFINITY;
	/** While true, requests wait as if a compute worker had them. */
	isHeld = false;
	/** What `submit` returns instead of taking a request. */
	refusals: number[] = [];
	isDetached = false;
	isDraining = false;
	#waiting: FakeRequest[] = [];
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
	): number {
		const refusal = this.refusals.shift();
		if (refusal !== undefined) return -refusal;
		const copy = Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
		const request = { ticket: this.requests.length, bytes: copy, codec, operation, target, deadlineMs, requestId };
		this.requests.push(request);
		this.#waiting.push(request);
		return request.ticket;
	}

	cancel(ticket: number): boolean {
		this.cancelled.push(ticket);
		this.#waiting = this.#waiting.filter((request) => request.ticket !== ticket);
		return true;
	}

	flush(): Flush {
		const now = this.isHeld ? [] : this.#waiting.splice(0, this.answersPerFlush);
		this.flushes.push(now.length);
		const parts = now.map((request) => this.#encode(request));
		const records: number[] = [];
		let offset = 0;
		for (const [at, { bytes, flags }] of parts.entries()) {
			records.push(now[at]?.ticket ?? 0, offset, bytes.byteLength, flags);
			offset += bytes.byteLength;
		}
		const slab = Buffer.concat(parts.map(({ bytes }) => bytes));
		return { slab, records: Uint32Array.from(records), more: !this.isHeld && this.#waiting.length > 0 };
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
			errors: { INVALID_BODY: 2 },
			rows: 30,
		};
		const histograms = {
			requestUs: histogram,
			queueUs: histogram,
			computeUs: histogram,
			batchRequests: { bounds: [1], counts: [4, 1], sum: 6 },
		};
		return {
			models: this.models,
			operations: [{ ...operation, degraded: { fallback: 1 }, ...histograms }],
			errors: { UNKNOWN_MODEL: 3 },
			openRequests: this.#waiting.length,
			computeQueueLength: 0,
			handles: 1,
			computeThreads: 1,
			isa: 'scalar',
			onnxruntime: 'none',
			draining: this.isDraining,
		};
	}

	#encode(request: FakeRequest): { bytes: Buffer; flags: number } {
		const { code = 'OK', retryAfterMs = 0, body = {} } = this.answer(request);
		const { number } = catalogue[code];
		const flags = (number | 0x100 | (retryAfterMs << 16)) >>> 0;
		if (request.operation !== undefined)
			return { bytes: request.codec === Codec.json ? Buffer.from(JSON.stringify(body)) : pack(body), flags };
		return { bytes: pack([1, (unpack(request.bytes) as unknown[])[2], number, 0, true, body]), flags };
	}
}
