/** How many requests may be sent again: a share of the first ones, so that the retries of many clients cannot become a load of their own. */
import { DecayingSum } from './decaying-sum.js';

export interface RetryBudgetOptions {
	/** Retries per request. */
	ratio: number;
	/** Allowed whatever the traffic, so that a quiet client may retry too. */
	minPerSecond?: number;
}

/** What is not used fades away, so that a calm hour does not pay for a storm. */
const MEMORY_MS = 10_000;

/** A bucket of tokens that requests fill and retries empty; above or below its floor, it fades towards it. */
export class RetryBudget {
	readonly #ratio: number;
	readonly #floor: number;
	readonly #tokensAboveFloor = new DecayingSum(MEMORY_MS);

	constructor({ ratio, minPerSecond = 3 }: RetryBudgetOptions) {
		this.#ratio = ratio;
		this.#floor = (minPerSecond * MEMORY_MS) / 1000;
	}

	/** A request was sent for the first time. */
	deposit(): void {
		this.#tokensAboveFloor.add(this.#ratio);
	}

	/** @returns whether a retry may be sent; it is counted as sent */
	withdraw(): boolean {
		if (this.#floor + this.#tokensAboveFloor.value < 1) return false;
		this.#tokensAboveFloor.add(-1);
		return true;
	}
}
