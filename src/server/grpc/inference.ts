/** One infer request of a gRPC call: read, submitted, answered once; unary calls have one, streams any number. */
import type { ServerSurfaceCall } from '@grpc/grpc-js/build/src/server-call.js';
import { codeName, EngineError, type ErrorCode } from '../../errors.js';
import { Codec, flagsCode, flagsRetryAfterMs, Operation } from '../../native/addon.js';
import { type Envelope, Receiver } from '../turn.js';
import type { GrpcContext } from './context.js';
import { encodeAnswer } from './infer-answer.js';
import { type InferMessage, readInferMessage } from './infer-message.js';
import { toOipBody } from './oip-body.js';

/** Asks that the last answer to a request is marked; these models have one answer, which is the last. */
const WANTS_FINAL_MARK = 'triton_enable_empty_final_response';
const FINAL_MARK = { triton_final_response: true };

export interface Asker {
	/** @param response an encoded ModelInferResponse */
	answered(response: Uint8Array): void;
	/** @param of what the answer would have named */
	failed(error: EngineError, of: { id: string; marks: Marks }): void;
}

/** Parameters of an answer that are not the engine's. */
export type Marks = Record<string, boolean>;

type Call = Pick<ServerSurfaceCall, 'getDeadline' | 'metadata'>;

export class Inference extends Receiver {
	readonly #context: GrpcContext;
	readonly #asker: Asker;
	#id = '';
	#marks: Marks = {};
	#ticket: number | undefined;
	#answer: (() => Uint8Array) | undefined;
	#error: EngineError | undefined;

	constructor(context: GrpcContext, asker: Asker) {
		super();
		this.#context = context;
		this.#asker = asker;
		context.traffic.add('grpcRequests');
	}

	/**
	 * @param bytes an encoded ModelInferRequest
	 * @param check throws for a caller who may not ask now
	 */
	start(bytes: Uint8Array, call: Call, check: () => void = () => {}): void {
		this.#context.traffic.add('receivedBytes', bytes.byteLength);
		try {
			check();
			this.#submit(readInferMessage(bytes), call);
		} catch (thrown) {
			this.#refuse(EngineError.from(thrown));
		}
	}

	/** The caller has gone; nothing once it has been answered. */
	cancel(): void {
		if (this.#ticket !== undefined) this.#context.turn.cancel(this.#ticket);
	}

	receive(bytes: Uint8Array, flags: number, _queueUs: number, _computeUs: number, jsonBytes: number): void {
		const code = codeName(flagsCode(flags));
		if (code === 'OK') this.#answer = () => encodeAnswer(bytes, jsonBytes, this.#marks);
		else this.#error = errorOf(code, bytes, flagsRetryAfterMs(flags));
	}

	deliver(): void {
		this.#ticket = undefined;
		if (this.#error !== undefined) return this.#fail(this.#error);
		try {
			this.#send((this.#answer as () => Uint8Array)());
		} catch (thrown) {
			this.#refuse(EngineError.from(thrown));
		}
	}

	#submit(message: InferMessage, call: Call): void {
		this.#id = message.id;
		// The engine refuses names that begin with `triton_`, and this one is ours to read.
		if (message.parameters.get(WANTS_FINAL_MARK) === 'true') this.#marks = FINAL_MARK;
		message.parameters.delete(WANTS_FINAL_MARK);
		const { bytes, jsonBytes } = toOipBody(message, this.#context.config.httpMaxInputSize);
		this.#ticket = this.#context.turn.submitBody(this, bytes, Codec.oip, { ...envelopeOf(message, call), jsonBytes });
	}

	#send(response: Uint8Array): void {
		this.#context.traffic.add('sentBytes', response.byteLength);
		this.#asker.answered(response);
	}

	/** An error that the engine has not counted. */
	#refuse(error: EngineError): void {
		this.#context.traffic.addError(error.code);
		this.#fail(error);
	}

	#fail(error: EngineError): void {
		this.#asker.failed(error, { id: this.#id, marks: this.#marks });
	}
}

function envelopeOf({ model_name: name, model_version: version }: InferMessage, call: Call): Envelope {
	return {
		operation: Operation.infer,
		target: version === '' ? name : `${name}@${version}`,
		deadlineMs: timeLeft(call),
		requestId: undefined,
		traceparent: call.metadata.get('traceparent')[0]?.toString(),
	};
}

const LONGEST_MS = 2 ** 31 - 1;

/** @throws EngineError `DEADLINE_EXCEEDED` */
function timeLeft(call: Call): number | undefined {
	const left = Math.ceil(Number(call.getDeadline()) - Date.now());
	if (left > LONGEST_MS) return undefined;
	if (left > 0) return left;
	throw new EngineError('DEADLINE_EXCEEDED', 'the deadline of the call had passed before its message was read');
}

/** @param body the engine's error as /v2 writes it */
function errorOf(code: ErrorCode, body: Uint8Array, retryAfterMs: number): EngineError {
	const { error } = JSON.parse(Buffer.from(body).toString()) as { error: string };
	return new EngineError(code, error, { retryAfterMs });
}
