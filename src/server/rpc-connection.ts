/** One RPC connection: its answers leave together at the end of a flush, and its requests end with it. */
import type { WebSocket } from 'uWebSockets.js';
import { pack } from 'msgpackr';
import { catalogue, EngineError, errorBody } from '../errors.js';
import { flagsLast } from '../native/addon.js';
import type { Context } from './context.js';
import type { Receiver } from './turn.js';

/** What `WebSocket.send` returns when the peer reads so slowly that our limit is reached. */
const DROPPED = 2;

/** Kept on the socket from open to close. */
export interface SocketData {
	connection?: RpcConnection;
}

export class RpcConnection implements Receiver {
	readonly #context: Context;
	readonly #socket: WebSocket<SocketData>;
	#answers: Uint8Array[] = [];
	#openRequests = 0;
	#isOpen = true;

	constructor(context: Context, socket: WebSocket<SocketData>) {
		this.#context = context;
		this.#socket = socket;
	}

	/** Whether everything written so far has left for the kernel. */
	get isFlushed(): boolean {
		return !this.#isOpen || this.#socket.getBufferedAmount() === 0;
	}

	take(message: ArrayBuffer, isBinary: boolean): void {
		if (!isBinary)
			return this.#refuse(new EngineError('INVALID_FRAME', 'this is a text message: RPC frames are msgpack in binary messages'));
		try {
			this.#context.turn.submitFrame(this, message);
			this.#openRequests++;
		} catch (thrown) {
			this.#refuse(EngineError.from(thrown));
		}
	}

	receive(bytes: Uint8Array, flags: number): void {
		if (flagsLast(flags)) this.#openRequests--;
		this.#answers.push(bytes);
	}

	deliver(): void {
		if (this.#isOpen) this.#socket.cork(this.#writeAnswers);
		this.#answers = [];
	}

	/** The server closes the connection, after everything written before. */
	end(code: number, reason: string): void {
		if (this.#isOpen) this.#socket.end(code, reason);
	}

	/** The connection has closed: nobody waits for its requests any more. */
	closed(): void {
		this.#isOpen = false;
		this.#context.turn.cancelAll(this, this.#openRequests);
	}

	readonly #writeAnswers = (): void => {
		for (const bytes of this.#answers) this.#send(bytes);
	};

	#send(bytes: Uint8Array): void {
		if (!this.#isOpen) return;
		if (this.#socket.send(bytes, true) === DROPPED) return this.#cutOff();
		this.#context.traffic.add('sentBytes', bytes.byteLength);
	}

	/** An answer was dropped: a gap in a stream of answers is worse than its end. */
	#cutOff(): void {
		this.#context.traffic.add('slowConsumers');
		this.#context.log.warn({ buffered_bytes: this.#socket.getBufferedAmount() }, 'an RPC peer does not read its answers: closed');
		this.#socket.close();
	}

	/** An error that belongs to no request we could name: its id is nil. */
	#refuse(error: EngineError): void {
		this.#context.traffic.addError(error.code);
		this.#send(pack([1, null, catalogue[error.code].number, 0, true, errorBody(error)]));
	}
}
