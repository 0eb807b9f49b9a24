/** One HTTP call from its first body byte to its answer. */
import type { HttpResponse } from 'uWebSockets.js';
import { EngineError, httpStatus } from '../errors.js';
import { type Codec, flagsCode, flagsRetryAfterMs } from '../native/addon.js';
import type { Context } from './context.js';
import { contentTypes, retryHeader, send, sendError } from './reply.js';
import type { Envelope, Receiver } from './turn.js';

export class HttpCall implements Receiver {
	readonly #context: Context;
	readonly #response: HttpResponse;
	readonly #codec: Codec;
	readonly #startedAt = performance.now();
	#chunks: Uint8Array[] = [];
	#receivedBytes = 0;
	#ticket: number | undefined;
	#answer: Uint8Array | undefined;
	#flags = 0;
	#requestId: string | undefined;
	/** Answered or aborted: the response may not be touched any more. */
	#isOver = false;

	/** Attaches the abort handler at once: uWebSockets demands it before anything else. */
	constructor(context: Context, response: HttpResponse, codec: Codec) {
		this.#context = context;
		this.#response = response;
		this.#codec = codec;
		context.traffic.add('httpRequests');
		response.onAborted(() => this.#abort());
	}

	/** Collects the body up to our limit, then submits it. */
	read(envelope: Envelope, declaredBytes: number): void {
		this.#requestId = envelope.requestId;
		if (declaredBytes > this.#context.config.maxFrameBytes) return this.refuse(this.#tooLarge(`${declaredBytes}`));
		this.#response.onData((chunk, isLast) => {
			if (this.#isOver) return;
			this.#receivedBytes += chunk.byteLength;
			this.#context.traffic.add('receivedBytes', chunk.byteLength);
			if (this.#receivedBytes > this.#context.config.maxFrameBytes)
				return this.refuse(this.#tooLarge(`more than ${this.#context.config.maxFrameBytes}`));
			if (isLast) this.#submit(this.#body(chunk), envelope);
			// uWebSockets takes the chunk's memory back when this callback returns.
			else this.#chunks.push(new Uint8Array(chunk.slice(0)));
		});
	}

	refuse(error: EngineError, requestId = this.#requestId): void {
		this.#isOver = true;
		this.#chunks = [];
		this.#context.traffic.addError(error.code);
		sendError(this.#response, error, this.#codec, requestId, { close: this.#context.isDraining });
	}

	receive(bytes: Uint8Array, flags: number): void {
		this.#answer = bytes;
		this.#flags = flags;
	}

	deliver(): void {
		if (this.#isOver || this.#answer === undefined) return;
		this.#isOver = true;
		this.#context.traffic.add('sentBytes', this.#answer.byteLength);
		send(this.#response, {
			status: httpStatus(flagsCode(this.#flags)),
			contentType: contentTypes[this.#codec],
			body: this.#answer,
			headers: retryHeader(flagsRetryAfterMs(this.#flags)),
			close: this.#context.isDraining,
		});
		this.#answer = undefined;
	}

	#submit(body: Uint8Array | ArrayBuffer, envelope: Envelope): void {
		try {
			this.#ticket = this.#context.turn.submitBody(this, body, this.#codec, {
				...envelope,
				deadlineMs: this.#timeLeft(envelope.deadlineMs),
			});
		} catch (thrown) {
			this.refuse(EngineError.from(thrown));
		}
	}

	/** A deadline starts with the call's first byte, not with its body's last. */
	#timeLeft(deadlineMs: number | undefined): number | undefined {
		if (deadlineMs === undefined) return undefined;
		const left = Math.ceil(deadlineMs - (performance.now() - this.#startedAt));
		if (left > 0) return left;
		throw new EngineError('DEADLINE_EXCEEDED', `the body took longer to arrive than the deadline of ${deadlineMs} ms`);
	}

	#body(lastChunk: ArrayBuffer): Uint8Array | ArrayBuffer {
		if (this.#chunks.length === 0) return lastChunk;
		const whole = Buffer.concat([...this.#chunks, new Uint8Array(lastChunk)]);
		this.#chunks = [];
		return whole;
	}

	#tooLarge(bytes: string): EngineError {
		return new EngineError('TOO_LARGE', `the body has ${bytes} bytes, at most ${this.#context.config.maxFrameBytes} are accepted`);
	}

	#abort(): void {
		this.#isOver = true;
		this.#chunks = [];
		if (this.#ticket !== undefined) this.#context.turn.cancel(this.#ticket);
	}
}
