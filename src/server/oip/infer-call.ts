/** One `infer` call over HTTP from its first body byte to its answer; nobody here looks into a tensor. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { EngineError, oipStatus } from '../../errors.js';
import { Codec, flagsCode, flagsRetryAfterMs, Operation } from '../../native/addon.js';
import { Backlog } from '../backlog.js';
import { readBody } from '../body-reader.js';
import { deadlineOf, lengthOf, requestIdOf, timeLeft, traceparentOf } from '../call-envelope.js';
import type { Context } from '../context.js';
import { retrySeconds, serverTiming, writeHead } from '../reply.js';
import { Receiver } from '../turn.js';
import { endWith, type WaitingBody } from '../waiting-body.js';
import { acceptedEncoding, contentEncoding, type Encoding, pack, unpack } from './encodings.js';
import { jsonBytesOf } from './inference-header.js';
import { refuseOip } from './refuse-oip.js';

/** A smaller answer fits one packet as it is. */
const WORTH_PACKING_BYTES = 1024;

/** What the headers say. */
interface Envelope {
	target: string;
	deadlineMs: number | undefined;
	traceparent: string | undefined;
	/** Of the body; undefined: it is as it is. */
	encoding: Encoding | undefined;
	/** `Inference-Header-Content-Length` as it came. */
	inferenceHeader: string;
	declaredBytes: number;
}

export class InferCall extends Receiver {
	readonly #context: Context;
	readonly #response: HttpResponse;
	readonly #startedAt = performance.now();
	#requestId: string | undefined;
	#accepted: Encoding | undefined;
	#ticket: number | undefined;
	/** The answer of the running flush, and what its record says. */
	#answer: Uint8Array | undefined;
	#flags = 0;
	#queueUs = 0;
	#computeUs = 0;
	#jsonBytes = 0;
	#waiting: WaitingBody | undefined;
	/** Refused, answered or aborted: the response is not ours to touch any more. */
	#isOver = false;

	/** Attaches the abort handler at once: uWebSockets demands it before anything else. */
	constructor(context: Context, response: HttpResponse) {
		super();
		this.#context = context;
		this.#response = response;
		context.traffic.add('httpRequests');
		response.onAborted(() => this.#abort());
	}

	/** Collects the body, unpacks and submits it. @throws EngineError for headers that make no sense */
	read(request: HttpRequest, target: string): void {
		this.#requestId = requestIdOf(request);
		this.#accepted = acceptedEncoding(request.getHeader('accept-encoding'));
		const envelope: Envelope = {
			target,
			deadlineMs: deadlineOf(request),
			traceparent: traceparentOf(request),
			encoding: contentEncoding(request.getHeader('content-encoding')),
			inferenceHeader: request.getHeader('inference-header-content-length'),
			declaredBytes: lengthOf(request),
		};
		const { config, traffic } = this.#context;
		const limits = { maxBytes: config.httpMaxInputSize, declaredBytes: envelope.declaredBytes, traffic };
		readBody(this.#response, limits, { take: (body) => this.#take(body, envelope), refuse: (error) => this.refuse(error) });
	}

	refuse(error: EngineError): void {
		if (this.#isOver) return;
		this.#isOver = true;
		refuseOip(this.#context, this.#response, error, { close: this.#context.isDraining }, this.#requestId);
	}

	receive(bytes: Uint8Array, flags: number, queueUs: number, computeUs: number, jsonBytes: number): void {
		this.#answer = bytes;
		this.#flags = flags;
		this.#queueUs = queueUs;
		this.#computeUs = computeUs;
		this.#jsonBytes = jsonBytes;
	}

	deliver(): void {
		const answer = this.#answer;
		this.#answer = undefined;
		if (this.#isOver || answer === undefined) return;
		if (this.#accepted === undefined || answer.byteLength < WORTH_PACKING_BYTES) this.#send(answer);
		else this.#sendPacked(answer.slice(), this.#accepted);
	}

	#take(body: Uint8Array | ArrayBuffer, envelope: Envelope): void {
		const { encoding } = envelope;
		if (encoding === undefined) return this.#submit(body, envelope);
		const packed = body instanceof ArrayBuffer ? new Uint8Array(body.slice(0)) : body;
		unpack(packed, encoding, this.#context.config.httpMaxInputSize).then(
			(unpacked) => this.#submit(unpacked, envelope),
			(thrown) => this.refuse(EngineError.from(thrown)),
		);
	}

	#submit(body: Uint8Array | ArrayBuffer, { target, deadlineMs, traceparent, inferenceHeader }: Envelope): void {
		if (this.#isOver) return;
		try {
			const jsonBytes = jsonBytesOf(inferenceHeader, body.byteLength);
			const left = timeLeft(deadlineMs, this.#startedAt);
			const envelope = { operation: Operation.infer, target, deadlineMs: left, requestId: this.#requestId, traceparent, jsonBytes };
			this.#ticket = this.#context.turn.submitBody(this, body, Codec.oip, envelope);
		} catch (thrown) {
			this.refuse(EngineError.from(thrown));
		}
	}

	/** @param answer kept until it is packed, so it counts as waiting */
	#sendPacked(answer: Uint8Array, encoding: Encoding): void {
		const backlog = new Backlog(this.#context);
		backlog.set(answer.byteLength);
		pack(answer, encoding)
			.finally(() => backlog.set(0))
			.then(
				(packed) => this.#send(packed, encoding),
				(thrown) => this.refuse(EngineError.from(thrown)),
			);
	}

	#send(answer: Uint8Array, encoding?: Encoding): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#context.traffic.add('sentBytes', answer.byteLength);
		this.#response.cork(() => this.#write(answer, encoding));
	}

	#write(answer: Uint8Array, encoding: Encoding | undefined): void {
		const response = this.#response;
		const retryAfterMs = flagsRetryAfterMs(this.#flags);
		writeHead(response, oipStatus(flagsCode(this.#flags)), this.#jsonBytes > 0 ? 'application/octet-stream' : 'application/json');
		// Counted before packing, as in a request.
		if (this.#jsonBytes > 0) response.writeHeader('Inference-Header-Content-Length', String(this.#jsonBytes));
		if (encoding !== undefined) response.writeHeader('Content-Encoding', encoding);
		// The total counts from the call's first byte.
		response.writeHeader('Server-Timing', serverTiming(this.#queueUs / 1e3, this.#computeUs / 1e3, performance.now() - this.#startedAt));
		if (retryAfterMs > 0) response.writeHeader('Retry-After', retrySeconds(retryAfterMs));
		this.#waiting = endWith(this.#context, response, answer);
	}

	#abort(): void {
		this.#isOver = true;
		this.#waiting?.closed();
		if (this.#ticket !== undefined) this.#context.turn.cancel(this.#ticket);
	}
}
