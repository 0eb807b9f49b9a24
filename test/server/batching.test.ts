/** What one turn of the event loop delivers is executed as one batch, as the engine itself counts it. */
import { expect, test } from 'vitest';
import type { Histogram } from '../../src/native/addon.js';
import { exchange, frame } from '../support/rpc-peer.js';
import { withServer } from '../support/with-server.js';

/** Bucket counts that are not zero, by upper bound. */
const filled = ({ bounds, counts }: Histogram) =>
	Object.fromEntries(counts.flatMap((count, at) => (count > 0 ? [[bounds[at] ?? 'more', count]] : [])));

test('64 frames written in one TCP segment are executed as one batch', () =>
	withServer(
		async ({ engine, port }) => {
			const answers = await exchange(
				port,
				Array.from({ length: 64 }, (_, id) => frame({ id, body: { history: [`item-${id % 60}`], k: 3 } })),
			);
			expect(answers.every(({ number }) => number === 0)).toBe(true);
			const recommend = engine.stats().operations.find(({ operation }) => operation === 'recommend');
			expect(recommend?.requests).toBe(64);
			expect(filled(recommend?.batchRequests as Histogram)).toEqual({ 64: 1 });
		},
		{ flushBudgetUs: 1_000_000, shortWorkUs: 1_000_000, computeThreads: 0 },
	));

test('a batch answers as its requests would one by one', () =>
	withServer(async ({ port }) => {
		const frames = Array.from({ length: 32 }, (_, id) =>
			frame({ id, body: { user: `user-${id % 8}`, history: [`item-${10 + id}`], k: 7 } }),
		);
		const together = await exchange(port, frames);
		const itemsById = new Map(together.map(({ id, body }) => [id, body['items']]));
		for (const single of frames) {
			const [alone] = await exchange(port, [single]);
			expect(itemsById.get(alone?.id)).toEqual(alone?.body['items']);
		}
	}));
