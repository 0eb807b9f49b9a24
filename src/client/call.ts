/** One call of the caller's: sent, sent again when that is allowed, until an answer has come or nothing more can be done. */
import { EngineError } from '../errors.js';
import { Attempt } from './attempt.js';
import { CallLimit, type CallLimitOptions } from './call-limit.js';
import { type AnswerFrame, type EncodedRequest, encodeFrame, type WireAnswer } from './codec.js';
import type { Connection } from './connection.js';
import type { Pool } from './pool.js';
import { isRead, isWorthRepeating, type RetryPolicy } from './retry-policy.js';

/** Who called. */
export interface Caller {
	/** One frame of the answer: the only one, or a part of a stream. */
	part(body: WireAnswer): void;
	/** Called once: all parts have come, or the call has failed. */
	end(error?: EngineError): void;
}

/** What calls of one client share. */
export interface CallContext {
	readonly pool: Pick<Pool, 'nextId' | 'send' | 'other' | 'sendOn' | 'forget' | 'expired'>;
	readonly policy: RetryPolicy;
	/** Those not ended yet. */
	readonly calls: Set<Call>;
	/** Without an answer for so long, a copy goes to another connection; undefined: never. */
	readonly hedgeAfterMs: number | undefined;
}

export class Call {
	readonly #context: CallContext;
	readonly #request: EncodedRequest;
	readonly #caller: Caller;
	readonly #limit: CallLimit;
	/** On their way: one, or with a hedge two. */
	readonly #attempts = new Set<Attempt>();
	#sent = 0;
	/** The retry or hedge to come. */
	#timer: NodeJS.Timeout | undefined;
	/** The attempt whose first frame has come; its answer is the call's. */
	#answering: Attempt | undefined;
	#nextSeq = 0;

	constructor(context: CallContext, request: EncodedRequest, limit: CallLimitOptions, caller: Caller) {
		this.#context = context;
		this.#request = request;
		this.#caller = caller;
		this.#limit = new CallLimit(limit, this);
	}

	get leftMs(): number {
		return this.#limit.leftMs;
	}

	start(): void {
		this.#context.calls.add(this);
		this.#context.policy.started();
		this.#send();
	}

	/** Ends the call now; whatever still comes for it is dropped. Nothing once it has ended. */
	giveUp(error: EngineError): void {
		const { pool } = this.#context;
		for (const attempt of this.#attempts) {
			if (error.code === 'DEADLINE_EXCEEDED') pool.expired(attempt);
			else pool.forget(attempt);
		}
		this.#attempts.clear();
		this.#end(error);
	}

	/** The bytes of an attempt that leaves now: it has the time that is left, rounded up to the wire's milliseconds. */
	frame(id: number): Uint8Array {
		const { leftMs } = this;
		return encodeFrame(this.#request, id, Number.isFinite(leftMs) ? Math.max(1, Math.ceil(leftMs)) : 0);
	}

	received(attempt: Attempt, { seq, isLast, body }: AnswerFrame): void {
		if (this.#answering === undefined) this.#choose(attempt);
		if (seq !== this.#nextSeq) {
			return this.giveUp(new EngineError('INTERNAL', `this is a bug: frame ${seq} of an answer came instead of frame ${this.#nextSeq}`));
		}
		this.#nextSeq++;
		if (isLast) this.#attempts.delete(attempt);
		this.#caller.part(body);
		if (isLast) this.#end();
	}

	failed(attempt: Attempt, error: EngineError): void {
		this.#attempts.delete(attempt);
		const isRepeatable = this.#answering === undefined && isWorthRepeating(error) && !this.#mayBeDone(attempt, error);
		if (isRepeatable && this.#attempts.size > 0) return; // its copy may still be answered
		const waitMs = isRepeatable ? this.#context.policy.takeRetry(error, this.#sent, this.leftMs) : undefined;
		if (waitMs === undefined) return this.giveUp(error);
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#send(attempt.connection), waitMs);
	}

	/** Whether sending it again might do twice what is to be done once: it had left, and nobody said what became of it. */
	#mayBeDone({ connection }: Attempt, { code }: EngineError): boolean {
		return !isRead(this.#request.operation) && code === 'CONNECTION_LOST' && connection !== undefined;
	}

	#send(avoid?: Connection): void {
		const { pool, hedgeAfterMs } = this.#context;
		const attempt = this.#newAttempt();
		if (hedgeAfterMs !== undefined && isRead(this.#request.operation)) this.#hedgeIn(hedgeAfterMs, attempt);
		pool.send(attempt, avoid);
	}

	#hedgeIn(afterMs: number, attempt: Attempt): void {
		this.#timer = setTimeout(() => this.#hedge(afterMs, attempt), afterMs);
	}

	/** A copy to another connection, as soon as there is one: whoever answers first, answers. */
	#hedge(afterMs: number, attempt: Attempt): void {
		const { pool, policy } = this.#context;
		const other = attempt.connection && pool.other(attempt.connection);
		if (other === undefined) return this.#hedgeIn(afterMs, attempt);
		if (policy.takeHedge(this.#sent)) pool.sendOn(other, this.#newAttempt());
	}

	#newAttempt(): Attempt {
		const attempt = new Attempt(this.#context.pool.nextId(), this);
		this.#sent++;
		this.#attempts.add(attempt);
		return attempt;
	}

	#choose(chosen: Attempt): void {
		clearTimeout(this.#timer);
		this.#answering = chosen;
		for (const attempt of this.#attempts) {
			if (attempt === chosen) continue;
			this.#attempts.delete(attempt);
			this.#context.pool.forget(attempt);
		}
	}

	#end(error?: EngineError): void {
		if (!this.#context.calls.delete(this)) return;
		clearTimeout(this.#timer);
		this.#limit.release();
		this.#caller.end(error);
	}
}
