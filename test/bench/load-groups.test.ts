/** The load generator with deadlines, and with requests that are told apart. */
import { describe, expect, test } from 'vitest';
import type { LoadSpec } from '../../bench/harness/load.js';
import { constant, corpusOf, endsOf, frames, measure, runGenerator } from './support/run-generator.js';
import { rpcServer } from './support/slow-servers.js';

const OVERLOADED = 16;
const DEADLINE_MS = 60;

const specFor = (addresses: string[], more: Partial<LoadSpec> = {}): LoadSpec => ({
	target: { transport: 'rpc', addresses, path: '/rpc' },
	corpus: corpusOf(frames(4, { deadlineMs: 1 })),
	connections: 4,
	warmup_seconds: 0,
	load: constant(100, 0.4),
	...more,
});

describe('a deadline', () => {
	test('is in every frame, and what comes behind it is not in time', async () => {
		const seen: (number | null)[] = [];
		let count = 0;
		const address = await rpcServer(({ deadlineMs, answer }) => {
			seen.push(deadlineMs);
			if (count++ % 2 === 0) answer();
			else setTimeout(answer, 2 * DEADLINE_MS);
		});
		const result = await measure(specFor([address], { deadline_ms: DEADLINE_MS }));
		expect(seen).toHaveLength(40);
		for (const left of seen) expect(left).toBeLessThanOrEqual(DEADLINE_MS);
		expect(result).toMatchObject({ intended: 40, completed: 40 });
		expect(result.in_time).toBeLessThanOrEqual(20);
	});

	test('shrinks with each attempt, and nothing is tried again behind it', async () => {
		const seen = new Map<number, number[]>();
		const address = await rpcServer(({ id, deadlineMs, answer }) => {
			seen.set(id, [...(seen.get(id) ?? []), deadlineMs ?? 0]);
			answer(OVERLOADED, { error: 'busy', retry_after_ms: 25 });
		});
		const retry = { max_attempts: 9, budget: 9, backoff_ms: 1 };
		const result = await measure(specFor([address], { deadline_ms: DEADLINE_MS, retry, load: constant(50, 0.2) }));
		expect(result).toMatchObject({ intended: 10, completed: 0, in_time: 0, errors: { [OVERLOADED]: 10 } });
		for (const left of seen.values()) {
			expect(left.length).toBeLessThanOrEqual(3);
			expect(left).toEqual(left.toSorted((a, b) => b - a));
			expect((left[1] ?? 0) - (left[0] ?? 0)).toBeLessThanOrEqual(-24);
		}
	});

	test('needs room in the frames', async () => {
		const { code, stderr } = await runGenerator(specFor(['127.0.0.1:1'], { corpus: corpusOf(frames(1)), deadline_ms: 5 }));
		expect({ code, stderr }).toEqual({
			code: 2,
			stderr: 'rankd-load: corpus: entry 0 has no deadline written as a 32-bit integer, and deadline_ms needs one\n',
		});
	});
});

describe('groups', () => {
	test('of the corpus are counted apart', async () => {
		const address = await rpcServer(({ body, answer }) => {
			if (body.place === 3) setTimeout(() => answer(), 30);
			else answer(body.place === 2 ? OVERLOADED : 0);
		});
		const result = await measure(specFor([address], { groups: [0, 0, 0, 1] }));
		expect(result.groups.map(({ intended, completed, errors }) => [intended, completed, errors])).toEqual([
			[30, 20, 10],
			[10, 10, 0],
		]);
		expect(result.groups[1]?.latency_us.min).toBeGreaterThanOrEqual(29_000);
		expect(endsOf(result)).toBe(40);
	});

	test('must fit the corpus', async () => {
		const { code, stderr } = await runGenerator(specFor(['127.0.0.1:1'], { groups: [0, 1] }));
		expect({ code, stderr }).toEqual({
			code: 2,
			stderr: 'rankd-load: groups: expected one for each of the 4 entries of the corpus, got 2\n',
		});
	});

	test('are the addresses where these take turns', async () => {
		const seen: number[][] = [[], []];
		const addresses = await Promise.all(
			seen.map((places) =>
				rpcServer(({ body, answer }) => {
					places.push(body.place);
					answer();
				}),
			),
		);
		const corpus = corpusOf(frames(40));
		const result = await measure(specFor(addresses, { corpus, alternate_ms: 100 }));
		expect(result.groups.map(({ completed }) => completed)).toEqual([20, 20]);
		const tensOf = (places: number[] = []) => new Set(places.map((place) => Math.floor(place / 10)));
		expect(seen.map(tensOf)).toEqual([new Set([0, 2]), new Set([1, 3])]);
	});
});
