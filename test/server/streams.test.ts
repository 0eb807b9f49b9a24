/** Streamed answers over RPC and HTTP in front of a fake engine: parts leave as they are ready, an error ends them, a caller that goes too. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { pack, Unpackr, unpack } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { post } from '../support/http-request.js';
import { maskedFrame, RawWebSocket } from '../support/raw-websocket.js';
import { withFakeServer } from '../support/with-fake-server.js';

const part = (offset: number) => ({ body: { offset, scores: [0.5, 0.25] } });
const failure = { code: 'MODEL_FAILED' as const, body: { error: 'the graph failed', code: 'MODEL_FAILED', request_id: 'r' } };
const call = 'POST /v1/score/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

/** Server-sent events as `[name, data]`. */
const eventsOf = (text: string): [string, unknown][] =>
	text
		.split('\n\n')
		.slice(0, -1)
		.map((event) => {
			const field = (name: string) => event.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
			return [field('event') ?? 'message', JSON.parse(field('data') as string)];
		});

test('RPC: every part is a frame with its seq, the last one says so', () =>
	withFakeServer(async ({ engine, port }) => {
		engine.answer = () => [part(0), part(2), part(4)];
		engine.answersPerFlush = 1;
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(maskedFrame(pack([1, 4, 9, 'tiny', null, null, null, {}])));
		expect((await peer.waitForMessages(3)).map((message) => unpack(message))).toEqual([
			[1, 9, 0, 0, false, part(0).body],
			[1, 9, 0, 1, false, part(2).body],
			[1, 9, 0, 2, true, part(4).body],
		]);
	}));

test('RPC: a peer that goes in the middle of a stream cancels the rest', () =>
	withFakeServer(async ({ engine, port }) => {
		engine.answer = () => Array.from({ length: 100_000 }, (_, at) => part(at));
		engine.answersPerFlush = 1;
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(maskedFrame(pack([1, 4, 9, 'tiny', null, null, null, {}])));
		await peer.waitForMessages(2);
		peer.socket.destroy();
		await vi.waitUntil(() => engine.cancelled.length === 1);
		expect(engine.flushes.length).toBeLessThan(100_000);
	}));

describe('HTTP', () => {
	test('a JSON body is answered by server-sent events and their end', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => [part(0), part(2)];
			const { status, headers, body } = await post(`${base}/v1/score/tiny`, '{}');
			expect({ status, type: headers['content-type'], cache: headers['cache-control'] }).toEqual({
				status: 200,
				type: 'text/event-stream',
				cache: 'no-cache',
			});
			expect(eventsOf(body.toString())).toEqual([
				['message', part(0).body],
				['message', part(2).body],
				['end', {}],
			]);
		}));

	test('a msgpack body is answered by maps, one behind the other', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => [part(0), part(2), part(4)];
			engine.answersPerFlush = 1;
			const { headers, body } = await post(`${base}/v1/score/tiny`, pack({}), { 'content-type': 'application/msgpack' });
			expect(headers).toMatchObject({ 'content-type': 'application/msgpack', 'transfer-encoding': 'chunked' });
			expect(new Unpackr({ useRecords: false }).unpackMultiple(body)).toEqual([part(0).body, part(2).body, part(4).body]);
		}));

	test('parts leave as they are ready, not at the end', () =>
		withFakeServer(async ({ engine, port }) => {
			engine.answer = () => {
				// Behind the flush that gives the first part.
				queueMicrotask(() => {
					engine.isHeld = true;
				});
				return [part(0), part(2)];
			};
			engine.answersPerFlush = 1;
			const socket = connect(port, '127.0.0.1');
			let text = '';
			socket.on('data', (bytes) => {
				text += bytes;
			});
			socket.write(call);
			await vi.waitUntil(() => text.includes('"offset":0'));
			expect(text).not.toContain('"offset":2');
			engine.release();
			await vi.waitUntil(() => text.includes('event: end'));
			expect(text).toContain('"offset":2');
			socket.destroy();
		}));

	test('an error before the first part is an answer like any other', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => [failure];
			const answer = await post(`${base}/v1/score/tiny`, '{}');
			expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
			expect(answer.json()).toEqual(failure.body);
		}));

	test('an error behind a part is an event of its own and ends the stream', () =>
		withFakeServer(async ({ engine, base, logLines }) => {
			engine.answer = () => [part(0), failure];
			const { status, body } = await post(`${base}/v1/score/tiny`, '{}');
			expect(status).toBe(200);
			expect(eventsOf(body.toString())).toEqual([
				['message', part(0).body],
				['error', failure.body],
			]);
			expect(logLines.join()).toContain('MODEL_FAILED');
		}));

	test('in msgpack the error is the last map', () =>
		withFakeServer(async ({ engine, base }) => {
			engine.answer = () => [part(0), failure];
			const { body } = await post(`${base}/v1/score/tiny`, pack({}), { 'content-type': 'application/msgpack' });
			expect(new Unpackr({ useRecords: false }).unpackMultiple(body)).toEqual([part(0).body, failure.body]);
		}));

	test('a caller that goes in the middle cancels the rest', () =>
		withFakeServer(async ({ engine, port }) => {
			engine.answer = () => Array.from({ length: 100_000 }, (_, at) => part(at));
			engine.answersPerFlush = 1;
			const socket = connect(port, '127.0.0.1');
			socket.write(call);
			await once(socket, 'data');
			socket.destroy();
			await vi.waitUntil(() => engine.cancelled.length === 1);
		}));

	test('the connection is kept for the next call', () =>
		withFakeServer(async ({ engine, port }) => {
			engine.answer = () => [part(0)];
			const socket = connect(port, '127.0.0.1');
			let text = '';
			socket.on('data', (bytes) => {
				text += bytes;
			});
			socket.write(call);
			await vi.waitUntil(() => text.endsWith('0\r\n\r\n'));
			socket.write(call);
			await vi.waitUntil(() => text.split('event: end').length === 3);
			socket.destroy();
		}));
});
