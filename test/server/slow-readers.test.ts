/** Peers that do not read what they asked for: what waits for them is bounded, they get no more work done, and the others do not notice. */
import { connect } from 'node:net';
import { pack, unpack } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { catalogue } from '../../src/errors.js';
import { post } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { maskedFrame, RawWebSocket } from '../support/raw-websocket.js';
import { withFakeServer } from '../support/with-fake-server.js';

const KiB = 1024;
const blob = Buffer.alloc(512 * KiB);
const large = { body: { blob } };
const small = { body: { ok: true } };

const request = (id: number) => maskedFrame(pack([1, 1, id, 'tiny', null, null, null, {}]));
const codeOf = (message: Buffer) => (unpack(message) as [number, number, number])[2];

const metric = async (base: string, name: string) => parseMetrics(await (await fetch(`${base}/metrics`)).text()).get(name);

describe('RPC', () => {
	test('with half of the limit waiting, requests are refused unexecuted, until the peer has read', () =>
		withFakeServer(
			async ({ engine, base, port }) => {
				engine.answer = () => large;
				const peer = await RawWebSocket.connect(port);
				peer.socket.pause();
				let sent = 0;
				// One by one, so that a single answer makes the step over the half.
				while ((await metric(base, 'rankd_errors_total{code="OVERLOADED"}')) === undefined) {
					peer.socket.write(request(sent++));
					await vi.waitUntil(async () => (await metric(base, 'rankd_rpc_frames_total')) === sent);
				}
				expect(engine.requests).toHaveLength(sent - 1);
				expect(await metric(base, 'rankd_backlog_bytes')).toBeGreaterThan(512 * KiB);

				peer.socket.resume();
				const refusal = unpack((await peer.waitForMessages(sent)).at(-1) as Buffer);
				expect(refusal).toMatchObject([1, sent - 1, catalogue.OVERLOADED.number, 0, true, { code: 'OVERLOADED', request_id: sent - 1 }]);
				expect(refusal[5].retry_after_ms).toBeGreaterThan(0);
				await vi.waitUntil(async () => (await metric(base, 'rankd_backlog_bytes')) === 0);
				peer.socket.write(request(sent));
				expect(codeOf((await peer.waitForMessages(sent + 1)).at(-1) as Buffer)).toBe(0);
			},
			{ maxBackpressureBytes: 1024 * KiB },
		));

	test('beyond the limit the peer is cut off and counted, the others do not notice', () =>
		withFakeServer(
			async ({ engine, base, port, logLines }) => {
				const [deaf, polite] = [await RawWebSocket.connect(port), await RawWebSocket.connect(port)];
				engine.answer = () => large;
				engine.isHeld = true;
				deaf.socket.pause();
				deaf.socket.write(Buffer.concat(Array.from({ length: 100 }, (_, id) => request(id))));
				await vi.waitUntil(() => engine.requests.length === 100);
				engine.release();
				await vi.waitUntil(() => logLines.some((line) => line.includes('does not read')));
				engine.answer = () => small;
				polite.socket.write(request(7));
				expect(unpack((await polite.waitForMessages(1))[0] as Buffer)).toEqual([1, 7, 0, 0, true, small.body]);
				expect(await metric(base, 'rankd_slow_consumers_total')).toBe(1);
				expect(await metric(base, 'rankd_rpc_connections')).toBe(1);
				expect(await metric(base, 'rankd_backlog_bytes')).toBe(0);
			},
			{ maxBackpressureBytes: 64 * KiB },
		));
});

describe('HTTP', () => {
	const call = 'POST /v1/recommend/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

	test('an answer beyond what the kernel takes at once arrives whole', () =>
		withFakeServer(async ({ engine, base }) => {
			const text = 'x'.repeat(24 * 1024 * KiB);
			engine.answer = () => ({ body: { text } });
			expect((await post(`${base}/v1/recommend/tiny`, '{}')).json()['text']).toBe(text);
			expect(await metric(base, 'rankd_backlog_bytes')).toBe(0);
		}));

	test('a connection gets no further answer while one waits to be read', () =>
		withFakeServer(async ({ engine, base, port }) => {
			engine.answer = () => ({ body: { blob: 'x'.repeat(2048 * KiB) } });
			const socket = connect(port, '127.0.0.1');
			const isClosed = new Promise((resolve) => socket.on('close', resolve));
			socket.on('error', () => {});
			socket.pause();
			while ((await metric(base, 'rankd_backlog_bytes')) === 0) {
				const before = engine.requests.length;
				socket.write(call);
				await vi.waitUntil(() => engine.requests.length > before);
			}
			const answered = engine.requests.length;
			expect(await metric(base, 'rankd_backlog_bytes')).toBeLessThan(2049 * KiB);
			socket.write(call);
			socket.resume();
			await isClosed;
			expect(engine.requests).toHaveLength(answered);
			expect(await metric(base, 'rankd_backlog_bytes')).toBe(0);
		}));

	test('a stream that nobody reads is cut off, counted and cancelled', () =>
		withFakeServer(
			async ({ engine, base, port, logLines }) => {
				engine.answer = () => Array.from({ length: 200 }, () => ({ body: { blob: 'x'.repeat(512 * KiB) } }));
				engine.answersPerFlush = 1;
				const socket = connect(port, '127.0.0.1');
				socket.on('error', () => {});
				socket.pause();
				socket.write(call);
				await vi.waitUntil(() => engine.cancelled.length === 1, { timeout: 10_000 });
				expect(logLines.join()).toContain('an HTTP peer does not read');
				expect(engine.flushes.length).toBeLessThan(200);
				expect(await metric(base, 'rankd_slow_consumers_total')).toBe(1);
				expect(await metric(base, 'rankd_backlog_bytes')).toBe(0);
				socket.destroy();
			},
			{ maxBackpressureBytes: 1024 * KiB },
		));

	test('after a stream that waits to be read its connection takes no other call', () =>
		withFakeServer(
			async ({ engine, port }) => {
				engine.answer = () => Array.from({ length: 40 }, () => ({ body: { blob: 'x'.repeat(512 * KiB) } }));
				const socket = connect(port, '127.0.0.1');
				let received = 0;
				let end = '';
				socket.on('data', (bytes: Buffer) => {
					received += bytes.byteLength;
					end = (end + bytes.subarray(-20)).slice(-20);
				});
				const isClosed = new Promise((resolve) => socket.on('close', resolve));
				socket.pause();
				socket.write(call);
				await vi.waitUntil(() => engine.flushes.includes(40));
				socket.resume();
				await isClosed;
				expect(received).toBeGreaterThan(40 * 512 * KiB);
				expect(end.endsWith('0\r\n\r\n')).toBe(true);
			},
			{ maxBackpressureBytes: 64 * 1024 * KiB },
		));
});
