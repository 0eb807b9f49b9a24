/** The WebSocket transport in front of a fake engine: segments, limits, rude peers, draining. */
import { setImmediate as turnOver } from 'node:timers/promises';
import { pack, unpack } from 'msgpackr';
import { expect, test, vi } from 'vitest';
import { catalogue } from '../../src/errors.js';
import { maskedFrame, Opcode, RawWebSocket } from '../support/raw-websocket.js';
import { withFakeServer } from '../support/with-fake-server.js';

const request = (id: number, body: object = {}) => maskedFrame(pack([1, 1, id, 'tiny', null, null, null, body]));
const requests = (from: number, count: number) => Buffer.concat(Array.from({ length: count }, (_, at) => request(from + at)));
const idsOf = (messages: Buffer[]) => messages.map((message) => (unpack(message) as [number, number])[1]);

test('64 frames written in one segment are one flush, and their answers one write', () =>
	withFakeServer(async ({ engine, port }) => {
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(requests(0, 64));
		expect(idsOf(await peer.waitForMessages(64))).toEqual(Array.from({ length: 64 }, (_, id) => id));
		expect(engine.flushes).toEqual([64]);
	}));

test('frames of many sockets in one turn share a flush', () =>
	withFakeServer(async ({ engine, port }) => {
		const peers = await Promise.all(Array.from({ length: 8 }, () => RawWebSocket.connect(port)));
		for (const peer of peers) peer.socket.write(requests(0, 4));
		for (const peer of peers) await peer.waitForMessages(4);
		expect(engine.flushes.reduce((a, b) => a + b)).toBe(32);
		expect(engine.flushes.length).toBeLessThan(32);
	}));

test('a text message is answered INVALID_FRAME, and the connection lives', () =>
	withFakeServer(async ({ port }) => {
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(maskedFrame(Buffer.from('{"k":1}'), Opcode.text));
		const [message] = await peer.waitForMessages(1);
		expect(unpack(message as Buffer)).toEqual([
			1,
			null,
			catalogue.INVALID_FRAME.number,
			0,
			true,
			{ error: expect.stringContaining('binary'), code: 'INVALID_FRAME', request_id: null },
		]);
		peer.socket.write(request(5));
		expect(idsOf(await peer.waitForMessages(2))).toEqual([null, 5]);
	}));

test('a frame beyond our limit reaches the engine, which knows its id', () =>
	withFakeServer(
		async ({ engine, port }) => {
			const peer = await RawWebSocket.connect(port);
			peer.socket.write(request(1, { history: ['x'.repeat(100_000)] }));
			await peer.waitForMessages(1);
			expect(engine.requests[0]?.bytes.byteLength).toBeGreaterThan(100_000);
		},
		{ maxFrameBytes: 1024 },
	));

test('a peer that goes takes its requests along', () =>
	withFakeServer(async ({ engine, port }) => {
		engine.isHeld = true;
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(requests(0, 3));
		await vi.waitUntil(() => engine.requests.length === 3);
		peer.socket.destroy();
		await vi.waitUntil(() => engine.cancelled.length === 3);
		engine.release();
		await turnOver();
		expect(engine.cancelled.sort()).toEqual([0, 1, 2]);
	}));

test('an engine that takes nothing more is answered with a frame that has no id', () =>
	withFakeServer(async ({ engine, port }) => {
		const { number } = catalogue.ENGINE_CLOSED;
		engine.refusals = [number];
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(request(1));
		const [message] = await peer.waitForMessages(1);
		expect(unpack(message as Buffer)).toMatchObject([1, null, number, 0, true, { code: 'ENGINE_CLOSED' }]);
	}));

test('beyond max_connections an upgrade is refused with a body that says so', () =>
	withFakeServer(
		async ({ port }) => {
			const first = await RawWebSocket.connect(port);
			await expect(RawWebSocket.connect(port)).rejects.toThrow(/503 Service Unavailable.*OVERLOADED/s);
			first.socket.destroy();
			await vi.waitUntil(() =>
				RawWebSocket.connect(port).then(
					() => true,
					() => false,
				),
			);
		},
		{ maxConnections: 1 },
	));

test('draining answers what was read, then closes with 1012', () =>
	withFakeServer(async ({ app, engine, port }) => {
		engine.isHeld = true;
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(requests(0, 10));
		await vi.waitUntil(() => engine.requests.length === 10);
		const drained = app.drain(5000);
		await turnOver();
		expect(peer.closeCode).toBeUndefined();
		engine.release();
		expect(await drained).toBe(true);
		await vi.waitUntil(() => peer.closeCode !== undefined);
		expect(peer.closeCode).toBe(1012);
		expect(idsOf(peer.messages)).toEqual(Array.from({ length: 10 }, (_, id) => id));
		expect(engine.isDraining).toBe(true);
	}));

test('draining under load: every frame the server read before its close frame is answered', () =>
	withFakeServer(async ({ app, engine, port }) => {
		const peers = await Promise.all(Array.from({ length: 4 }, () => RawWebSocket.connect(port)));
		let sent = 0;
		const sending = setInterval(() => {
			for (const peer of peers) if (peer.closeCode === undefined && !peer.isEnded) peer.socket.write(requests(sent++ * 16, 16));
		}, 1);
		await vi.waitUntil(() => engine.requests.length > 500);
		expect(await app.drain(5000)).toBe(true);
		await vi.waitUntil(() => peers.every(({ closeCode }) => closeCode === 1012));
		clearInterval(sending);
		const answered = peers.reduce((total, { messages }) => total + messages.length, 0);
		expect(answered + engine.cancelled.length).toBe(engine.requests.length);
		expect(engine.cancelled).toEqual([]);
	}));

test('a drain that takes too long gives up and says so', () =>
	withFakeServer(async ({ app, engine, port }) => {
		engine.isHeld = true;
		const peer = await RawWebSocket.connect(port);
		peer.socket.write(request(1));
		await vi.waitUntil(() => engine.requests.length === 1);
		expect(await app.drain(10)).toBe(false);
		await vi.waitUntil(() => peer.closeCode === 1012);
	}));
