/** What the kernel did not take of an HTTP answer goes piece by piece, once and in order, and counts as waiting until then. */
import type { HttpResponse } from 'uWebSockets.js';
import { expect, test } from 'vitest';
import { WaitingBody } from '../../src/server/waiting-body.js';
import { oneThread } from '../support/one-thread.js';

const LIMIT = 100_000;

/** A kernel that takes `portion` bytes whenever it is writable. */
class FakeResponse {
	readonly portion: number;
	readonly taken: number[] = [];
	isClosed = false;
	#writable: (offset: number) => boolean = () => true;

	constructor(portion: number) {
		this.portion = portion;
	}

	tryEnd(bytes: Uint8Array, total: number): [boolean, boolean] {
		this.taken.push(...bytes.subarray(0, this.portion));
		return [bytes.byteLength <= this.portion, this.taken.length === total];
	}
	getWriteOffset(): number {
		return this.taken.length;
	}
	onWritable(handler: (offset: number) => boolean): void {
		this.#writable = handler;
	}
	becomesWritable(): boolean {
		return this.#writable(this.taken.length);
	}
	close(): void {
		this.isClosed = true;
	}
}

const bodyOf = (bytes: number) => Uint8Array.from({ length: bytes }, (_, at) => at % 251);

function begin(thread: ReturnType<typeof oneThread>, response: FakeResponse, body: Uint8Array): WaitingBody {
	response.tryEnd(body, body.byteLength);
	return new WaitingBody(thread.context, response as unknown as HttpResponse, body);
}

test('the rest goes as the kernel takes it, even when the slab behind it was used again', () => {
	const thread = oneThread(LIMIT);
	const response = new FakeResponse(300);
	const slab = bodyOf(1000);
	begin(thread, response, slab);
	slab.fill(0);
	expect(thread.traffic.read('backlogBytes')).toBe(700);
	expect(response.becomesWritable()).toBe(false);
	expect(thread.traffic.read('backlogBytes')).toBe(400);
	expect(response.becomesWritable()).toBe(false);
	expect(response.becomesWritable()).toBe(true);
	expect(response.taken).toEqual([...bodyOf(1000)]);
	expect(thread.traffic.read('backlogBytes')).toBe(0);
});

test('a connection that goes takes its bytes along', () => {
	const thread = oneThread(LIMIT);
	const waiting = begin(thread, new FakeResponse(300), bodyOf(1000));
	waiting.closed();
	expect(thread.traffic.read('backlogBytes')).toBe(0);
});

test('one body may be larger than the limit; the thread has a limit too', () => {
	const thread = oneThread(LIMIT);
	const [large, last] = [new FakeResponse(10), new FakeResponse(10)];
	begin(thread, large, bodyOf(2 * LIMIT));
	expect(large.isClosed).toBe(false);
	for (let others = 0; others < 30; others++) begin(thread, new FakeResponse(10), bodyOf(LIMIT + 10));
	const before = thread.traffic.read('backlogBytes');
	begin(thread, last, bodyOf(LIMIT));
	expect(last.isClosed).toBe(true);
	expect(thread.traffic.read('backlogBytes')).toBe(before);
	expect(thread.traffic.read('slowConsumers')).toBe(1);
});
