/** ModelInfer and ModelStreamInfer: calls whose messages are requests of the engine. */
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { EngineError } from '../../errors.js';
import type { GrpcContext } from './context.js';
import { encodeStreamAnswer, encodeStreamError } from './infer-answer.js';
import { Inference } from './inference.js';
import { statusOf } from './status.js';

export function modelInfer(context: GrpcContext, call: ServerUnaryCall<Buffer, Uint8Array>, callback: sendUnaryData<Uint8Array>): void {
	const peer = call.getPeer();
	let unreadBytes = 0;
	const inference = new Inference(context, {
		answered: (response) => {
			unreadBytes = response.byteLength;
			context.backlogs.add(peer, unreadBytes);
			callback(null, response);
		},
		failed: (error) => callback(statusOf(error)),
	});
	// Also said of a call that has ended well, when its peer has read the end.
	call.on('cancelled', () => {
		inference.cancel();
		context.backlogs.add(peer, -unreadBytes);
	});
	inference.start(call.request, call, () => context.backlogs.check(peer));
}

/** Requests of one stream that may be open or wait for its reader, before no more of it is read. */
const MAX_OPEN = 256;

/** Answers leave in the order in which they are ready; an error is an answer, and the stream goes on. */
export class InferStream {
	readonly #context: GrpcContext;
	readonly #call: ServerDuplexStream<Buffer, Uint8Array>;
	readonly #open = new Set<Inference>();
	/** Answers that the peer has not taken. */
	#unread = 0;
	/** Of open requests and unread answers. */
	#bytes = 0;
	#isHalfClosed = false;
	/** Ended by us or gone: nothing is written any more. */
	#isOver = false;

	constructor(context: GrpcContext, call: ServerDuplexStream<Buffer, Uint8Array>) {
		this.#context = context;
		this.#call = call;
		call.on('data', (message: Buffer) => this.#take(message));
		call.on('end', () => {
			this.#isHalfClosed = true;
			this.#settle();
		});
		call.on('cancelled', () => this.#abandon());
	}

	/** Ends the stream with an error; what is open is abandoned. */
	end(error: EngineError): void {
		if (this.#isOver) return;
		this.#abandon();
		this.#call.emit('error', statusOf(error));
	}

	get #isFull(): boolean {
		return this.#open.size + this.#unread >= MAX_OPEN || this.#bytes >= this.#context.config.httpMaxInputSize;
	}

	#take(message: Buffer): void {
		if (this.#isOver) return;
		const answer = (response: Uint8Array) => this.#answer(inference, message.byteLength, response);
		const inference = new Inference(this.#context, {
			answered: (response) => answer(encodeStreamAnswer(response)),
			failed: ({ message }, { id, marks }) => answer(encodeStreamError(message, id, marks)),
		});
		this.#open.add(inference);
		this.#bytes += message.byteLength;
		inference.start(message, this.#call);
		if (this.#isFull) this.#call.pause();
	}

	#answer(inference: Inference, requestBytes: number, response: Uint8Array): void {
		this.#open.delete(inference);
		if (this.#isOver) return;
		this.#unread++;
		this.#bytes += response.byteLength - requestBytes;
		this.#call.write(response, () => {
			this.#unread--;
			this.#bytes -= response.byteLength;
			this.#settle();
		});
	}

	/** Something has left. */
	#settle(): void {
		if (this.#isOver) return;
		if (this.#call.isPaused() && !this.#isFull) this.#call.resume();
		if (!this.#isHalfClosed || this.#open.size + this.#unread > 0) return;
		this.#isOver = true;
		this.#call.end();
	}

	#abandon(): void {
		this.#isOver = true;
		for (const inference of this.#open) inference.cancel();
		this.#open.clear();
	}
}
