/** Which failures are tried again, when, and how often in all. */
import type { EngineError } from '../errors.js';
import { Operation } from '../native/addon.js';
import { backoffMs } from './backoff.js';
import { RetryBudget } from './retry-budget.js';

export interface RetryPolicyOptions {
	/** How often one request may be sent: the first time, retries and hedge together. */
	attempts: number;
	/** Retries and hedges per request. */
	budget: number;
	/** In [0, 1). */
	random?: () => number;
}

/** Requests are worth milliseconds: a wait beyond their deadlines helps nobody. */
const BACKOFF = { baseMs: 10, maxMs: 1000 };

/** All but feedback only reads, and may be sent twice whatever became of it. */
export const isRead = (operation: Operation): boolean => operation !== Operation.feedback;

/** What was refused may be taken later, or elsewhere. What came too late once is not sought again. */
export const isWorthRepeating = ({ code, retryable }: EngineError): boolean => retryable && code !== 'DEADLINE_EXCEEDED';

export class RetryPolicy {
	readonly #attempts: number;
	readonly #budget: RetryBudget;
	readonly #random: () => number;
	#requests = 0;
	#retries = 0;
	#hedges = 0;

	constructor({ attempts, budget, random = Math.random }: RetryPolicyOptions) {
		this.#attempts = attempts;
		this.#budget = new RetryBudget({ ratio: budget });
		this.#random = random;
	}

	get counts(): { requests: number; retries: number; hedges: number } {
		return { requests: this.#requests, retries: this.#retries, hedges: this.#hedges };
	}

	/** A request is sent for the first time. */
	started(): void {
		this.#requests++;
		this.#budget.deposit();
	}

	/**
	 * @param sent how often the request has been sent
	 * @returns ms to wait before it is sent again; undefined when it may not be, or would not be in time
	 */
	takeRetry({ retryAfterMs = 0 }: EngineError, sent: number, leftMs: number): number | undefined {
		const waitMs = retryAfterMs + backoffMs(sent, { ...BACKOFF, random: this.#random });
		if (waitMs >= leftMs || !this.#take(sent)) return undefined;
		this.#retries++;
		return waitMs;
	}

	/** @returns whether a copy may be sent */
	takeHedge(sent: number): boolean {
		if (!this.#take(sent)) return false;
		this.#hedges++;
		return true;
	}

	#take(sent: number): boolean {
		return sent < this.#attempts && this.#budget.withdraw();
	}
}
