/** What does not serve as published: told in the log once, when it appears, and to whoever asks for as long as it lasts. */
import type { Logger } from '../log.js';
import type { Problem } from './published-model.js';

const keyOf = ({ path, error }: Problem): string => `${path}: ${error.message}`;

export class ProblemLog {
	readonly #log: Logger;
	#current: readonly Problem[] = [];
	onChange: (problems: readonly Problem[]) => void = () => {};

	constructor(log: Logger) {
		this.#log = log;
	}

	get current(): readonly Problem[] {
		return this.#current;
	}

	replace(problems: readonly Problem[]): void {
		const before = new Set(this.#current.map(keyOf));
		const fresh = problems.filter((problem) => !before.has(keyOf(problem)));
		const isSame = fresh.length === 0 && problems.length === before.size;
		this.#current = problems;
		for (const { path, error } of fresh) this.#log.error({ code: error.code, path }, error.message);
		if (!isSame) this.onChange(problems);
	}
}
