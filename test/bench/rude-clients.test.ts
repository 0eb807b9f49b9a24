/** Clients that do not read, and clients that vanish, against servers that count them. */
import { expect, test, vi } from 'vitest';
import { frameOf } from '../../bench/harness/corpus.js';
import { neverRead, vanish } from '../../bench/harness/rude-clients.js';
import { rpcServer } from './support/slow-servers.js';

const PATIENCE = { count: 2, patienceMs: 300 };
const portOf = (address: string): number => Number(address.split(':')[1]);
const frame = (bytes: number): Buffer => frameOf({ operation: 1, target: 'x', body: { place: 7, padding: 'x'.repeat(bytes) } });

test.each([10, 1000, 100_000])('frames with %i bytes of padding arrive whole, from clients that vanish', async (bytes) => {
	const places: number[] = [];
	let closed = 0;
	const address = await rpcServer(({ body, socket }) => {
		if (places.length % 2 === 0) socket.once('close', () => (closed += 1));
		places.push(body.place);
	});
	await vanish(portOf(address), 3, [frame(bytes), frame(bytes)]);
	await vi.waitUntil(() => closed === 3 && places.length === 6, { timeout: 10_000 });
	expect(places).toEqual([7, 7, 7, 7, 7, 7]);
});

test('a client that never reads is cut off by a server that terminates it', async () => {
	const address = await rpcServer(({ socket }) => socket.terminate());
	expect(await neverRead(portOf(address), { ...PATIENCE, rounds: 1e6 }, frame(1000))).toEqual({ cut: 2, held: 0 });
});

test('it is held back by a server that stops reading', async () => {
	const address = await rpcServer(({ socket }) => socket.pause());
	expect(await neverRead(portOf(address), { ...PATIENCE, rounds: 1e6 }, frame(100_000))).toEqual({ cut: 0, held: 2 });
});

test('it ends by itself where a server takes everything', async () => {
	let taken = 0;
	const address = await rpcServer(() => (taken += 1));
	expect(await neverRead(portOf(address), { ...PATIENCE, rounds: 20 }, frame(1000))).toEqual({ cut: 0, held: 0 });
	expect(taken).toBeLessThanOrEqual(40);
});
