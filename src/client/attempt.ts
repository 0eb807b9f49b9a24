/** A request on its way to one host; a call may make several. */
import type { EngineError } from '../errors.js';
import type { Call } from './call.js';
import type { AnswerFrame } from './codec.js';
import type { Connection } from './connection.js';
import type { Carried } from './pool.js';

export class Attempt implements Carried {
	readonly id: number;
	connection: Connection | undefined;
	readonly #call: Call;

	constructor(id: number, call: Call) {
		this.id = id;
		this.#call = call;
	}

	get leftMs(): number {
		return this.#call.leftMs;
	}

	frame(): Uint8Array {
		return this.#call.frame(this.id);
	}

	receive(answer: AnswerFrame): void {
		this.#call.received(this, answer);
	}

	fail(error: EngineError): void {
		this.#call.failed(this, error);
	}
}
