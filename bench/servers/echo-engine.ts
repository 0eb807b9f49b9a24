/** An engine that answers each request with its own body, and does as little as it can while doing so. */
import { type CoreStats, type Flush, type ModelInfo, type NativeHandle, recordLength, type SlowRequests } from '../../src/native/addon.js';
import type { AppEngine } from '../../src/server/app.js';

/** Code 0, and bit 8: the last frame of its request. */
const OK_AND_LAST = 0x100;
const FIRST_SLAB_BYTES = 4 * 1024 * 1024;

export class EchoEngine implements AppEngine, NativeHandle {
	/** Answers go straight into the slab: the server reads it before the next request can come in. */
	#slab = new Uint8Array(FIRST_SLAB_BYTES);
	#used = 0;
	#records = new Uint32Array(recordLength * 1024);
	#count = 0;
	attach(): NativeHandle {
		return this;
	}

	/** @param operation absent for a whole frame, given for a body alone */
	submit(bytes: Uint8Array | ArrayBuffer, _codec: number, operation?: number): number {
		const request = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
		this.#makeRoom(request.byteLength);
		const start = this.#used;
		if (operation === undefined) this.#answerFrame(request);
		else this.#append(request);
		const ticket = this.#count;
		this.#records.set([ticket, start, this.#used - start, OK_AND_LAST, 0, 0], this.#count * recordLength);
		this.#count++;
		return ticket;
	}

	flush(): Flush {
		const flushed = { slab: this.#slab, records: this.#records.subarray(0, this.#count * recordLength), more: false };
		this.#used = 0;
		this.#count = 0;
		return flushed;
	}

	cancel(): boolean {
		return false;
	}

	onReady(): void {}
	detach(): void {}
	drain(): void {}

	models(): ModelInfo[] {
		return [];
	}

	stats(): CoreStats {
		return {
			models: [],
			operations: [],
			inference: [],
			errors: {},
			openRequests: this.#count,
			computeQueueLength: 0,
			droppedTraces: 0,
			handles: 1,
			computeThreads: 0,
			isa: 'none',
			onnxruntime: 'none',
			draining: false,
		};
	}

	slowRequests(): SlowRequests {
		return { since: 0, requests: [] };
	}

	/** `[1, op, id, target, deadline, priority, rows, body]` is answered by `[1, id, 0, 0, true, body]`. */
	#answerFrame(frame: Uint8Array): void {
		const idEnd = endOf(frame, 3);
		let bodyStart = idEnd;
		for (let element = 3; element < 7; element++) bodyStart = endOf(frame, bodyStart);
		this.#slab[this.#used++] = 0x96;
		this.#slab[this.#used++] = 1;
		this.#append(frame.subarray(3, idEnd));
		this.#slab[this.#used++] = 0;
		this.#slab[this.#used++] = 0;
		this.#slab[this.#used++] = 0xc3;
		this.#append(frame.subarray(bodyStart));
	}

	#append(bytes: Uint8Array): void {
		this.#slab.set(bytes, this.#used);
		this.#used += bytes.byteLength;
	}

	#makeRoom(bytes: number): void {
		while (this.#used + bytes + 16 > this.#slab.byteLength) {
			const larger = new Uint8Array(2 * this.#slab.byteLength);
			larger.set(this.#slab.subarray(0, this.#used));
			this.#slab = larger;
		}
		if (this.#count * recordLength < this.#records.length) return;
		const longer = new Uint32Array(2 * this.#records.length);
		longer.set(this.#records);
		this.#records = longer;
	}
}

/** Widths of msgpack's integers by their first byte, that byte included. */
const integerBytes: Record<number, number> = { 204: 2, 205: 3, 206: 5, 207: 9, 208: 2, 209: 3, 210: 5, 211: 9 };

/** Where the envelope's element at `at` ends: nil, an integer or a short text. @throws RangeError for another type */
function endOf(frame: Uint8Array, at: number): number {
	const first = frame[at] ?? 0xc1;
	if (first === 0xc0 || first < 0x80 || first >= 0xe0) return at + 1;
	if (first >= 0xa0 && first < 0xc0) return at + 1 + (first - 0xa0);
	if (first === 0xd9) return at + 2 + (frame[at + 1] ?? 0);
	const bytes = integerBytes[first];
	if (bytes === undefined)
		throw new RangeError(`the echo server reads nil, integers and short texts in an envelope, not 0x${first.toString(16)}`);
	return at + bytes;
}
