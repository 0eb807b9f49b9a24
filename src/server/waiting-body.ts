/** The rest of an HTTP answer that its reader does not take at once. Until it has, uWebSockets takes no other call on the connection. */
import type { HttpResponse } from 'uWebSockets.js';
import { Backlog } from './backlog.js';
import type { Context } from './context.js';

/** Ends a response whose head has been written. @returns what its reader did not take at once, if anything */
export function endWith(context: Context, response: HttpResponse, body: Uint8Array): WaitingBody | undefined {
	if (context.isDraining) {
		response.end(body, true);
		return undefined;
	}
	// Behind `end` uWebSockets would take the next call, and keep any number of answers that nobody reads.
	return response.tryEnd(body, body.byteLength)[1] ? undefined : new WaitingBody(context, response, body);
}

export class WaitingBody {
	readonly #response: HttpResponse;
	readonly #backlog: Backlog;
	readonly #total: number;
	/** Where `#rest` begins in the whole. */
	readonly #start: number;
	readonly #rest: Uint8Array;

	/** @param body the whole, of which `tryEnd` has written a part; copied */
	constructor(context: Context, response: HttpResponse, body: Uint8Array) {
		this.#response = response;
		this.#backlog = new Backlog(context);
		this.#total = body.byteLength;
		this.#start = response.getWriteOffset();
		this.#rest = body.slice(this.#start);
		this.#backlog.set(this.#rest.byteLength);
		response.onWritable((offset) => this.#writeFrom(offset));
		if (this.#backlog.isOneTooMany) this.#cutOff();
	}

	/** The connection has gone. */
	closed(): void {
		this.#backlog.set(0);
	}

	/** @returns whether the kernel has taken all of it */
	#writeFrom(offset: number): boolean {
		const [, isTaken] = this.#response.tryEnd(this.#rest.subarray(offset - this.#start), this.#total);
		this.#backlog.set(isTaken ? 0 : this.#total - this.#response.getWriteOffset());
		return isTaken;
	}

	#cutOff(): void {
		this.#backlog.cutOff('HTTP');
		this.#response.close();
		this.closed();
	}
}
