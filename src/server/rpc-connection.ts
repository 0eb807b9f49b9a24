/** One RPC connection: its answers leave together at the end of a flush, and its requests end with it. */
import type { WebSocket } from 'uWebSockets.js';
import { pack } from 'msgpackr';
import { catalogue, EngineError, errorBody, type RequestId } from '../errors.js';
import { Backlog } from './backlog.js';
import type { Context } from './context.js';
import { frameId } from './frame-id.js';
import { Receiver } from './turn.js';

/** What `WebSocket.send` returns when the peer reads so slowly that our limit is reached. */
const DROPPED = 2;

/** When a slow reader may try again. */
const RETRY_AFTER_MS = 100;

/** Kept on the socket from open to close. */
export interface SocketData {
	connection?: RpcConnection;
}

export class RpcConnection extends Receiver {
	readonly #context: Context;
	readonly #socket: WebSocket<SocketData>;
	readonly #backlog: Backlog;
	/** Answers of the running flush: the first `#answerCount`. */
	readonly #answers: (Uint8Array | undefined)[] = [];
	#answerCount = 0;
	#isOpen = true;

	constructor(context: Context, socket: WebSocket<SocketData>) {
		super();
		this.#context = context;
		this.#socket = socket;
		this.#backlog = new Backlog(context);
	}

	take(message: ArrayBuffer, isBinary: boolean): void {
		if (!isBinary)
			return this.#refuse(new EngineError('INVALID_FRAME', 'this is a text message: RPC frames are msgpack in binary messages'));
		if (this.#backlog.isCrowded) return this.#refuse(this.#tooSlow(), frameId(message));
		try {
			this.#context.turn.submitFrame(this, message);
		} catch (thrown) {
			this.#refuse(EngineError.from(thrown));
		}
	}

	receive(bytes: Uint8Array): void {
		this.#answers[this.#answerCount++] = bytes;
	}

	deliver(): void {
		if (this.#isOpen) this.#socket.cork(this.#writeAnswers);
		this.#answers.fill(undefined, 0, this.#answerCount);
		this.#answerCount = 0;
		this.drained();
		if (this.#backlog.isOneTooMany) this.#cutOff();
	}

	/** The kernel has taken of what waited. */
	drained(): void {
		this.#backlog.set(this.#isOpen ? this.#socket.getBufferedAmount() : 0);
	}

	/** The server closes the connection, after everything written before. */
	end(code: number, reason: string): void {
		if (this.#isOpen) this.#socket.end(code, reason);
	}

	/** The connection has closed: nobody waits for its requests any more. */
	closed(): void {
		this.#isOpen = false;
		this.#backlog.set(0);
		this.#context.turn.cancelAll(this);
	}

	readonly #writeAnswers = (): void => {
		for (let at = 0; at < this.#answerCount; at++) this.#send(this.#answers[at] as Uint8Array);
	};

	#send(bytes: Uint8Array): void {
		if (!this.#isOpen) return;
		if (this.#socket.send(bytes, true) === DROPPED) return this.#cutOff();
		this.#context.traffic.add('sentBytes', bytes.byteLength);
	}

	/** An answer was dropped, for which a gap would be worse than the end, or the thread cannot keep more. */
	#cutOff(): void {
		this.#backlog.set(this.#socket.getBufferedAmount());
		this.#backlog.cutOff('RPC');
		this.#socket.close();
	}

	#tooSlow(): EngineError {
		const message = `${this.#backlog.bytes} bytes of answers wait on this connection: read them, then ask again`;
		return new EngineError('OVERLOADED', message, { retryAfterMs: RETRY_AFTER_MS });
	}

	/** An error found before the engine was asked. @param id of the request, null where it could not be named */
	#refuse(error: EngineError, id: RequestId = null): void {
		this.#context.traffic.addError(error.code);
		this.#send(pack([1, id, catalogue[error.code].number, 0, true, errorBody(error, id)]));
	}
}
