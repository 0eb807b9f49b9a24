/** One turn of the event loop is one batch: what its sockets delivered is collected, then executed and answered in the check phase. */
import { codeName, EngineError } from '../errors.js';
import { type Codec, flagsCode, flagsLast, type NativeHandle, type Operation } from '../native/addon.js';

/** Who is waiting for answers: an RPC connection, or one HTTP request. */
export interface Receiver {
	/** Takes one answer of this flush; `bytes` is valid until `deliver` returns. */
	receive(bytes: Uint8Array, flags: number): void;
	/** Every answer of this flush has been received: write them. */
	deliver(): void;
}

/** What a frame says before its body, for a body that came without one. */
export interface Envelope {
	operation: Operation;
	/** `name`, `name@alias` or `name@version`. */
	target: string;
	deadlineMs: number | undefined;
	requestId: string | undefined;
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
	readonly #receivers = new Map<number, Receiver>();
	readonly #touched = new Set<Receiver>();
	#isScheduled = false;
	#idleWaiters: (() => void)[] = [];

	constructor(handle: NativeHandle, options: TurnOptions) {
		this.#handle = handle;
		this.#options = options;
		handle.onReady(() => this.#schedule());
	}

	/** Requests without an answer yet. */
	get openRequests(): number {
		return this.#receivers.size;
	}

	/** Takes a whole RPC frame. @returns its ticket. @throws EngineError when the engine takes nothing any more */
	submitFrame(receiver: Receiver, frame: ArrayBuffer): number {
		return this.#take(receiver, () => this.#handle.submit(frame, 0));
	}

	/** Takes a body alone. @returns its ticket. @throws EngineError when the engine takes nothing any more */
	submitBody(receiver: Receiver, body: Uint8Array | ArrayBuffer, codec: Codec, envelope: Envelope): number {
		const { operation, target, deadlineMs, requestId } = envelope;
		return this.#take(receiver, () => this.#handle.submit(body, codec, operation, target, deadlineMs, requestId));
	}

	/** The caller of one ticket has gone; the next flush frees what it held. */
	cancel(ticket: number): void {
		if (!this.#receivers.delete(ticket)) return;
		this.#handle.cancel(ticket);
		this.#schedule();
	}

	/** A caller has gone with `count` requests open. */
	cancelAll(receiver: Receiver, count: number): void {
		for (const [ticket, waiting] of this.#receivers) {
			if (count === 0) return;
			if (waiting !== receiver) continue;
			this.cancel(ticket);
			count--;
		}
	}

	/** Resolves at the end of a flush that left nothing open. */
	whenIdle(): Promise<void> {
		if (this.#receivers.size === 0) return Promise.resolve();
		return new Promise((resolve) => this.#idleWaiters.push(resolve));
	}

	#take(receiver: Receiver, submit: () => number): number {
		let ticket = submit();
		if (ticket < 0 && codeName(-ticket) === 'OVERLOADED') {
			// The collected requests fill the table: settling those that admission refused makes room for this one's own refusal.
			this.#flush();
			ticket = submit();
		}
		if (ticket < 0) throw refusal(-ticket);
		this.#receivers.set(ticket, receiver);
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
		if (this.#receivers.size > 0) return;
		for (const resolve of this.#idleWaiters.splice(0)) resolve();
	};

	/** @returns whether work is left for after the next look at the sockets */
	#flush(): boolean {
		const { slab, records, more } = this.#handle.flush(this.#options.flushBudgetUs);
		for (let at = 0; at + 3 < records.length; at += 4) {
			const offset = records[at + 1] as number;
			const bytes = slab.subarray(offset, offset + (records[at + 2] as number));
			this.#hand(records[at] as number, bytes, records[at + 3] as number);
		}
		for (const receiver of this.#touched) receiver.deliver();
		this.#touched.clear();
		return more;
	}

	#hand(ticket: number, bytes: Uint8Array, flags: number): void {
		const code = codeName(flagsCode(flags));
		if (code === 'INTERNAL' || code === 'MODEL_FAILED') this.#options.onFault?.(code, bytes);
		const receiver = this.#receivers.get(ticket);
		if (receiver === undefined) return;
		if (flagsLast(flags)) this.#receivers.delete(ticket);
		receiver.receive(bytes, flags);
		this.#touched.add(receiver);
	}
}

function refusal(code: number): EngineError {
	const name = codeName(code);
	if (name === 'OVERLOADED')
		return new EngineError(name, 'more requests wait than this server holds; try again shortly', { retryAfterMs: 100 });
	if (name === 'ENGINE_CLOSED') return new EngineError(name, 'the engine has been closed');
	return EngineError.from({ code: name, message: 'the engine took nothing' });
}
