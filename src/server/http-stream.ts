/** The answer of one HTTP call in parts, as they are ready: server-sent events for JSON, one map behind the other for msgpack. */
import type { HttpResponse } from 'uWebSockets.js';
import { Codec, flagsCode, flagsLast } from '../native/addon.js';
import { Backlog } from './backlog.js';
import type { Context } from './context.js';
import { contentTypes, writeHead } from './reply.js';

export class HttpStream {
	readonly #context: Context;
	readonly #response: HttpResponse;
	readonly #codec: Codec;
	readonly #backlog: Backlog;
	/** Parts of the running flush, and how each begins. */
	#parts: Uint8Array[] = [];
	#hasBegun = false;
	#isFailed = false;
	#isLast = false;

	constructor(context: Context, response: HttpResponse, codec: Codec) {
		this.#context = context;
		this.#response = response;
		this.#codec = codec;
		this.#backlog = new Backlog(context);
	}

	/** Takes one part; an error is always the last. */
	add(bytes: Uint8Array, flags: number): void {
		this.#parts.push(bytes);
		this.#isFailed = flagsCode(flags) !== 0;
		this.#isLast = flagsLast(flags);
	}

	/** Writes what was added. @returns whether the stream has ended */
	deliver(): boolean {
		if (this.#backlog.isFull) return this.#cutOff();
		this.#response.cork(() => {
			this.#begin();
			for (const [at, part] of this.#parts.entries()) this.#writePart(part, this.#isFailed && at === this.#parts.length - 1);
			if (this.#isLast) this.#end();
		});
		this.#parts = [];
		if (!this.#isLast && this.#backlog.isOneTooMany) return this.#cutOff();
		return this.#isLast;
	}

	/** The connection has gone, or is uWebSockets' own to finish. */
	closed(): void {
		this.#backlog.set(0);
	}

	#begin(): void {
		if (this.#hasBegun) return;
		this.#hasBegun = true;
		if (this.#codec === Codec.msgpack) return writeHead(this.#response, 200, contentTypes[Codec.msgpack]);
		writeHead(this.#response, 200, 'text/event-stream');
		// A proxy that keeps or collects events would make one body of them again.
		this.#response.writeHeader('Cache-Control', 'no-cache').writeHeader('X-Accel-Buffering', 'no');
	}

	#writePart(bytes: Uint8Array, isError: boolean): void {
		this.#context.traffic.add('sentBytes', bytes.byteLength);
		if (this.#codec === Codec.msgpack) return this.#write(bytes);
		this.#write(isError ? 'event: error\ndata: ' : 'data: ');
		this.#write(bytes);
		this.#write('\n\n');
	}

	/** What was written since the kernel last took everything counts as waiting: uWebSockets says no more than whether it did. */
	#write(chunk: Uint8Array | string): void {
		const isTaken = this.#response.write(chunk);
		this.#backlog.set(isTaken ? 0 : this.#backlog.bytes + Buffer.byteLength(chunk));
	}

	/** A connection with a backlog takes no other call: what its peer does not read would add up. */
	#end(): void {
		if (this.#codec === Codec.json && !this.#isFailed) this.#write('event: end\ndata: {}\n\n');
		this.#response.end(undefined, this.#context.isDraining || this.#backlog.bytes > 0);
		this.closed();
	}

	#cutOff(): true {
		this.#backlog.cutOff('HTTP');
		this.#response.close();
		return true;
	}
}
