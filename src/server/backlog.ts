/** Answers of one connection that wait for their peer to read; all connections of a thread share a bound beside their own. */
import type { PageContext } from './context.js';

export type BacklogContext = Pick<PageContext, 'config' | 'traffic' | 'log'>;

/** So many connections of a thread may be as slow as each may be. */
const SLOWEST_CONNECTIONS = 32;

/** A request beyond it is refused: the answers on their way need the other half. */
const CROWDED_SHARE = 0.5;

export class Backlog {
	readonly #context: BacklogContext;
	#bytes = 0;

	constructor(context: BacklogContext) {
		this.#context = context;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** New work would only make more answers that nobody takes. */
	get isCrowded(): boolean {
		return this.#bytes > CROWDED_SHARE * this.#context.config.maxBackpressureBytes;
	}

	/** Nothing may be added. What was added before may be one answer of any size: its peer had at most the limit waiting. */
	get isFull(): boolean {
		return this.#bytes > this.#context.config.maxBackpressureBytes;
	}

	/** Too much waits on the whole thread, and this peer has a share in it. */
	get isOneTooMany(): boolean {
		const { config, traffic } = this.#context;
		return this.#bytes > 0 && traffic.read('backlogBytes') > SLOWEST_CONNECTIONS * config.maxBackpressureBytes;
	}

	set(bytes: number): void {
		if (bytes === this.#bytes) return;
		this.#context.traffic.add('backlogBytes', bytes - this.#bytes);
		this.#bytes = bytes;
	}

	/** Counts and logs why a connection ends; the caller closes it. */
	cutOff(transport: 'RPC' | 'HTTP'): void {
		this.#context.traffic.add('slowConsumers');
		this.#context.log.warn({ backlog_bytes: this.#bytes }, `an ${transport} peer does not read its answers: closed`);
	}
}
