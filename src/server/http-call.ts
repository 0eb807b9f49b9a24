/** One HTTP call from its first body byte to its answer. */
import type { HttpResponse } from 'uWebSockets.js';
import { EngineError, httpStatus } from '../errors.js';
import { type Codec, flagsCode, flagsRetryAfterMs, flagsStream } from '../native/addon.js';
import { readBody } from './body-reader.js';
import { timeLeft } from './call-envelope.js';
import type { Context } from './context.js';
import { HttpStream } from './http-stream.js';
import { contentTypes, retrySeconds, sendError, serverTiming, writeHead } from './reply.js';
import { type Envelope, Receiver } from './turn.js';
import { endWith, type WaitingBody } from './waiting-body.js';

export class HttpCall extends Receiver {
	readonly #context: Context;
	readonly #response: HttpResponse;
	readonly #codec: Codec;
	readonly #startedAt = performance.now();
	#ticket: number | undefined;
	/** The answer of the running flush, and what its record says. */
	#answer: Uint8Array | undefined;
	#flags = 0;
	#queueUs = 0;
	#computeUs = 0;
	#waiting: WaitingBody | undefined;
	#stream: HttpStream | undefined;
	#requestId: string | undefined;
	/** Refused, answered or aborted: the response is not ours to touch any more. */
	#isOver = false;

	/** Attaches the abort handler at once: uWebSockets demands it before anything else. */
	constructor(context: Context, response: HttpResponse, codec: Codec) {
		super();
		this.#context = context;
		this.#response = response;
		this.#codec = codec;
		context.traffic.add('httpRequests');
		response.onAborted(() => this.#abort());
	}

	/** Collects the body up to our limit, then submits it with its envelope, whose deadline by then is what is left of it. */
	read(envelope: Envelope, declaredBytes: number): void {
		this.#requestId = envelope.requestId;
		const { config, traffic } = this.#context;
		readBody(
			this.#response,
			{ maxBytes: config.maxFrameBytes, declaredBytes, traffic },
			{ take: (body) => this.#submit(body, envelope), refuse: (error) => this.refuse(error) },
		);
	}

	refuse(error: EngineError, requestId = this.#requestId): void {
		this.#isOver = true;
		this.#context.traffic.addError(error.code);
		sendError(this.#response, error, this.#codec, requestId, { close: this.#context.isDraining });
	}

	receive(bytes: Uint8Array, flags: number, queueUs: number, computeUs: number): void {
		if (this.#stream !== undefined || (flagsStream(flags) && flagsCode(flags) === 0)) {
			this.#stream ??= new HttpStream(this.#context, this.#response, this.#codec);
			return this.#stream.add(bytes, flags);
		}
		this.#answer = bytes;
		this.#flags = flags;
		this.#queueUs = queueUs;
		this.#computeUs = computeUs;
	}

	deliver(): void {
		if (this.#isOver) return;
		if (this.#stream !== undefined) this.#isOver = this.#stream.deliver();
		else if (this.#answer !== undefined) this.#send(this.#answer);
	}

	#send(answer: Uint8Array): void {
		this.#isOver = true;
		this.#answer = undefined;
		this.#context.traffic.add('sentBytes', answer.byteLength);
		this.#response.cork(() => this.#write(answer));
	}

	#write(answer: Uint8Array): void {
		const response = this.#response;
		const retryAfterMs = flagsRetryAfterMs(this.#flags);
		writeHead(response, httpStatus(flagsCode(this.#flags)), contentTypes[this.#codec]);
		// The total counts from the call's first byte.
		response.writeHeader('Server-Timing', serverTiming(this.#queueUs / 1e3, this.#computeUs / 1e3, performance.now() - this.#startedAt));
		if (retryAfterMs > 0) response.writeHeader('Retry-After', retrySeconds(retryAfterMs));
		this.#waiting = endWith(this.#context, response, answer);
	}

	#submit(body: Uint8Array | ArrayBuffer, envelope: Envelope): void {
		try {
			envelope.deadlineMs = timeLeft(envelope.deadlineMs, this.#startedAt);
			this.#ticket = this.#context.turn.submitBody(this, body, this.#codec, envelope);
		} catch (thrown) {
			this.refuse(EngineError.from(thrown));
		}
	}

	#abort(): void {
		this.#isOver = true;
		this.#waiting?.closed();
		this.#stream?.closed();
		if (this.#ticket !== undefined) this.#context.turn.cancel(this.#ticket);
	}
}
