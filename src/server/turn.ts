/** One turn of the event loop is one batch: what its sockets delivered is collected, then executed and answered in the check phase. */
import { codeName, EngineError } from '../errors.js';
import { Codec, flagsCode, flagsLast, type NativeHandle, type Operation, recordLength } from '../native/addon.js';
import { OpenRequests, type Owner } from './open-requests.js';

/** Who is waiting for answers: an RPC connection, or one HTTP request. */
export abstract class Receiver implements Owner {
	newestSlot = -1;
	/** Whether the running flush had a frame for it; written by `Turn` alone. */
	isTouched = false;
	/**
	 * Takes one frame of this flush; `bytes` is valid until `deliver` returns. The times are those of its request, with its last frame.
	 * @param jsonBytes of an OIP answer with binary tensors behind its JSON, how much of it is JSON; else 0
	 */
	abstract receive(bytes: Uint8Array, flags: number, queueUs: number, computeUs: number, jsonBytes: number): void;
	/** Every frame of this flush has been received: write them. */
	abstract deliver(): void;
}

/** What a frame says before its body, for a body that came without one. */
export interface Envelope {
	operation: Operation;
	/** `name`, `name@alias` or `name@version`. */
	target: string;
	deadlineMs: number | undefined;
	requestId: string | undefined;
	/** W3C trace context. */
	traceparent: string | undefined;
	/** Of an OIP body, how much of it is JSON; 0: none, the body is the one input; absent: all. */
	jsonBytes?: number | undefined;
}

export interface TurnOptions {
	flushBudgetUs: number;
	/** Sees every answer whose code says that the fault is ours, before it is sent. */
	onFault?: (code: 'MODEL_FAILED' | 'INTERNAL', bytes: Uint8Array) => void;
}

/** Collects requests of one thread and flushes them once per turn. */
export class Turn {
	readonly #handle: NativeHandle;
	readonly #options: TurnOptions;
	readonly #open = new OpenRequests<Receiver>();
	/** The first `#touchedCount` have frames of the running flush. */
	readonly #touched: (Receiver | undefined)[] = [];
	#touchedCount = 0;
	#isScheduled = false;
	#idleWaiters: (() => void)[] = [];

	constructor(handle: NativeHandle, options: TurnOptions) {
		this.#handle = handle;
		this.#options = options;
		handle.onReady(() => this.#schedule());
	}

	/** Requests without an answer yet. */
	get openRequests(): number {
		return this.#open.count;
	}

	/** Takes a whole RPC frame. @returns its ticket. @throws EngineError when the engine takes nothing any more */
	submitFrame(receiver: Receiver, frame: ArrayBuffer): number {
		let ticket = this.#handle.submit(frame, Codec.msgpack);
		if (this.#hasMadeRoom(ticket)) ticket = this.#handle.submit(frame, Codec.msgpack);
		return this.#taken(receiver, ticket);
	}

	/** Takes a body alone. @returns its ticket. @throws EngineError when the engine takes nothing any more */
	submitBody(receiver: Receiver, body: Uint8Array | ArrayBuffer, codec: Codec, envelope: Envelope): number {
		let ticket = this.#submitBody(body, codec, envelope);
		if (this.#hasMadeRoom(ticket)) ticket = this.#submitBody(body, codec, envelope);
		return this.#taken(receiver, ticket);
	}

	/** The caller of one ticket has gone; the next flush frees what it held. */
	cancel(ticket: number): void {
		if (!this.#open.remove(ticket)) return;
		this.#handle.cancel(ticket);
		this.#schedule();
	}

	/** A caller has gone with everything it asked for. */
	cancelAll(receiver: Receiver): void {
		for (let ticket = this.#open.newestOf(receiver); ticket !== undefined; ticket = this.#open.newestOf(receiver)) this.cancel(ticket);
	}

	/** Resolves at the end of a flush that left nothing open. */
	whenIdle(): Promise<void> {
		if (this.#open.count === 0) return Promise.resolve();
		return new Promise((resolve) => this.#idleWaiters.push(resolve));
	}

	#submitBody(body: Uint8Array | ArrayBuffer, codec: Codec, envelope: Envelope): number {
		const { operation, target, deadlineMs, requestId, traceparent, jsonBytes } = envelope;
		return this.#handle.submit(body, codec, operation, target, deadlineMs, requestId, traceparent, jsonBytes);
	}

	/** A refused request fits when those that admission refused before it, which fill the table, have been settled. */
	#hasMadeRoom(ticket: number): boolean {
		if (ticket >= 0 || codeName(-ticket) !== 'OVERLOADED') return false;
		this.#flush();
		return true;
	}

	#taken(receiver: Receiver, ticket: number): number {
		if (ticket < 0) throw refusal(-ticket);
		this.#open.add(ticket, receiver);
		this.#schedule();
		return ticket;
	}

	#schedule(): void {
		if (this.#isScheduled) return;
		this.#isScheduled = true;
		setImmediate(this.#run);
	}

	readonly #run = (): void => {
		this.#isScheduled = false;
		const more = this.#flush();
		if (more) this.#schedule();
		if (this.#open.count > 0 || this.#idleWaiters.length === 0) return;
		for (const resolve of this.#idleWaiters.splice(0)) resolve();
	};

	/** @returns whether work is left for after the next look at the sockets */
	#flush(): boolean {
		const { slab, records, more } = this.#handle.flush(this.#options.flushBudgetUs);
		for (let at = 0; at < records.length; at += recordLength) this.#hand(slab, records, at);
		this.#deliver();
		return more;
	}

	/** The list is used anew by every flush, but holds nobody in between. */
	#deliver(): void {
		for (let at = 0; at < this.#touchedCount; at++) {
			const receiver = this.#touched[at] as Receiver;
			this.#touched[at] = undefined;
			receiver.isTouched = false;
			receiver.deliver();
		}
		this.#touchedCount = 0;
	}

	/** @param at where the frame's record begins */
	#hand(slab: Uint8Array, records: Uint32Array, at: number): void {
		const ticket = records[at] as number;
		const offset = records[at + 1] as number;
		const flags = records[at + 3] as number;
		const bytes = slab.subarray(offset, offset + (records[at + 2] as number));
		const code = codeName(flagsCode(flags));
		if (code === 'INTERNAL' || code === 'MODEL_FAILED') this.#options.onFault?.(code, bytes);
		const receiver = this.#open.ownerOf(ticket);
		if (receiver === undefined) return;
		if (flagsLast(flags)) this.#open.remove(ticket);
		receiver.receive(bytes, flags, records[at + 4] as number, records[at + 5] as number, records[at + 6] as number);
		if (receiver.isTouched) return;
		receiver.isTouched = true;
		this.#touched[this.#touchedCount++] = receiver;
	}
}

function refusal(code: number): EngineError {
	const name = codeName(code);
	if (name === 'OVERLOADED')
		return new EngineError(name, 'more requests wait than this server holds; try again shortly', { retryAfterMs: 100 });
	if (name === 'ENGINE_CLOSED') return new EngineError(name, 'the engine has been closed');
	return EngineError.from({ code: name, message: 'the engine took nothing' });
}
