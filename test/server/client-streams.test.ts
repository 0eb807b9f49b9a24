/** Streamed answers through the typed client: part by part, and an end in every case. */
import { describe, expect, test, vi } from 'vitest';
import { newClient } from '../support/new-client.js';
import { type ScriptedRequest, scriptedServer } from '../support/scripted-server.js';
import { withServer } from '../support/with-server.js';

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

/** Answers with so many parts of one score each. */
const inParts = (count: number) => (request: ScriptedRequest) => {
	for (let seq = 0; seq < count; seq++) request.answer({ offset: seq, scores: floats(seq / 2) }, { seq, last: seq === count - 1 });
};

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
	const collected: T[] = [];
	for await (const part of parts) collected.push(part);
	return collected;
}

test('parts come in the order of their arrival, each an answer of its own', async () => {
	const server = await scriptedServer(inParts(3));
	const parts = await all(newClient(server.url).scoreStream('scorer', { rows: [[1], [2], [3]] }));
	expect(parts.map(({ offset, scores }) => [offset, [...scores]])).toEqual([
		[0, [0]],
		[1, [0.5]],
		[2, [1]],
	]);
	expect(parts[0]).toMatchObject({ model: 'tiny', version: '1.0.0', degraded: [], timing: { totalUs: 3 } });
});

test('rank asks for scores in the order sent, score for its rows, both for a stream', async () => {
	const server = await scriptedServer(inParts(1));
	const client = newClient(server.url);
	await all(client.rankStream('tiny', { user: 'ada', candidates: ['a', 'b'] }));
	await all(client.scoreStream('scorer', { rows: Float32Array.of(1, 2) }));
	expect(server.requests.map(({ operation, body }) => [operation, body])).toEqual([
		[2, { user: 'ada', candidates: ['a', 'b'], order: 'input', stream: true }],
		[4, { rows: floats(1, 2), stream: true }],
	]);
});

test('decisions come with the scores they are about', async () => {
	const server = await scriptedServer((request) => request.answer({ offset: 0, scores: floats(0.9), decisions: ['deny'] }));
	const [part] = await all(newClient(server.url).scoreStream('scorer', { rows: [[1]] }));
	expect(part?.decisions).toEqual(['deny']);
});

test('nothing is sent before somebody reads', async () => {
	const server = await scriptedServer(inParts(1));
	const client = newClient(server.url);
	const unread = client.scoreStream('scorer', { rows: [[1]] });
	await all(client.scoreStream('scorer', { rows: [[1]] }));
	expect(server.requests).toHaveLength(1);
	await unread.return();
	expect(client.stats().requests).toBe(1);
});

test('the parts of a real server together are the scores of the whole', () =>
	withServer(async ({ rpcUrl }) => {
		const client = newClient(rpcUrl);
		const rows = Float32Array.from({ length: 4 * 5000 }, (_, at) => (at % 97) / 97);
		const { scores, decisions } = await client.score('scorer', { rows });
		const streamed = new Float32Array(scores.length);
		const decided: string[] = [];
		for await (const part of client.scoreStream('scorer', { rows })) {
			streamed.set(part.scores, part.offset);
			for (const [at, decision] of (part.decisions ?? []).entries()) decided[part.offset + at] = decision;
		}
		expect(streamed).toEqual(scores);
		expect(decided).toEqual(decisions);
		const candidates = ['item-10', 'item-20', 'item-30'];
		const ranked = await client.rank('tiny', { user: 'user-2', candidates, order: 'input' });
		const [part] = await all(client.rankStream('tiny', { user: 'user-2', candidates }));
		expect(part?.scores).toEqual(ranked.scores);
	}));

describe('the end', () => {
	test('a reader that leaves is not sent what still comes, and the connection serves on', async () => {
		const held: ScriptedRequest[] = [];
		const server = await scriptedServer((request) => {
			held.push(request);
			request.answer({ offset: 0, scores: floats(1) }, { seq: 0, last: held.length > 1 });
		});
		const client = newClient(server.url, { connections: 1 });
		for await (const { offset } of client.scoreStream('scorer', { rows: [[1]] })) {
			expect(offset).toBe(0);
			break;
		}
		expect(client.stats()).toMatchObject({ openCalls: 0, connections: [{ requestsInFlight: 0 }] });
		held[0]?.answer({ offset: 1, scores: floats(2) }, { seq: 1, last: true });
		expect(await all(client.scoreStream('scorer', { rows: [[1]] }))).toHaveLength(1);
	});

	test('an error after some parts ends the stream with its code, and is not tried again', async () => {
		const server = await scriptedServer((request) => {
			request.answer({ offset: 0, scores: floats(1) }, { seq: 0, last: false });
			request.refuse('OVERLOADED', { seq: 1 });
		});
		const parts = newClient(server.url).scoreStream('scorer', { rows: [[1]] });
		expect((await parts.next()).value).toMatchObject({ offset: 0 });
		await expect(parts.next()).rejects.toMatchObject({ code: 'OVERLOADED' });
		expect(await parts.next()).toEqual({ done: true, value: undefined });
		expect(server.requests).toHaveLength(1);
	});

	test('an error before the first part is tried again', async () => {
		const server = await scriptedServer((request) => {
			if (server.requests.length === 1) request.refuse('OVERLOADED');
			else inParts(2)(request);
		});
		expect(await all(newClient(server.url).scoreStream('scorer', { rows: [[1]] }))).toHaveLength(2);
	});

	test('the deadline bounds the whole stream', async () => {
		const server = await scriptedServer((request) => request.answer({ offset: 0, scores: floats(1) }, { seq: 0, last: false }));
		const client = newClient(server.url, { connections: 1 });
		const warmUp = client.scoreStream('scorer', { rows: [[1]] });
		await warmUp.next();
		await warmUp.return();
		const parts = client.scoreStream('scorer', { rows: [[1]] }, { deadlineMs: 300 });
		expect((await parts.next()).done).toBe(false);
		await expect(parts.next()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
	});

	test('the caller may abort while a part is awaited', async () => {
		const server = await scriptedServer(() => {});
		const abort = new AbortController();
		const next = newClient(server.url)
			.scoreStream('scorer', { rows: [[1]] }, { signal: abort.signal })
			.next();
		next.catch(() => {});
		await vi.waitUntil(() => server.requests.length === 1);
		abort.abort();
		await expect(next).rejects.toMatchObject({ code: 'CANCELLED' });
	});

	test('a part that is missing fails the stream', async () => {
		const server = await scriptedServer((request) => {
			request.answer({ offset: 0, scores: floats(1) }, { seq: 0, last: false });
			request.answer({ offset: 2, scores: floats(1) }, { seq: 2, last: true });
		});
		await expect(all(newClient(server.url).scoreStream('scorer', { rows: [[1]] }))).rejects.toMatchObject({ code: 'INTERNAL' });
	});

	test('a connection that is lost in between ends the stream', async () => {
		const server = await scriptedServer((request) => {
			request.answer({ offset: 0, scores: floats(1) }, { seq: 0, last: false });
			request.socket.close(1012, 'restart');
		});
		await expect(all(newClient(server.url).scoreStream('scorer', { rows: [[1]] }))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
		expect(server.requests).toHaveLength(1);
	});

	test('what is wrong with the request is told by the first part', async () => {
		const client = newClient('ws://127.0.0.1:1/rpc');
		await expect(client.scoreStream('scorer', { rows: [] }, { deadlineMs: -1 }).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});
});
