/** A sum that forgets: what was added counts less as time passes, by 1/e after each `memoryMs`. */
export class DecayingSum {
	readonly #memoryMs: number;
	#sum = 0;
	#readAtMs = 0;

	constructor(memoryMs: number) {
		this.#memoryMs = memoryMs;
	}

	get value(): number {
		if (this.#sum === 0) return 0;
		const nowMs = performance.now();
		this.#sum *= Math.exp((this.#readAtMs - nowMs) / this.#memoryMs);
		this.#readAtMs = nowMs;
		return this.#sum;
	}

	add(amount: number): void {
		const { value } = this;
		if (value === 0) this.#readAtMs = performance.now();
		this.#sum = value + amount;
	}
}
