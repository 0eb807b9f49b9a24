/** One piece of work after the other, in the order they came. */
import { EngineError } from '../errors.js';

export class Turns {
	#last: Promise<unknown> = Promise.resolve();
	#isClosed = false;

	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** @throws EngineError `DRAINING` when they were closed before the work's turn came */
	take<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#last.then(() => {
			if (this.#isClosed) throw new EngineError('DRAINING', 'this server is shutting down');
			return work();
		});
		this.#last = turn.catch(() => {});
		return turn;
	}

	/** Nothing begins any more. */
	close(): void {
		this.#isClosed = true;
	}
}
