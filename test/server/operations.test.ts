/** The operations end to end, over RPC and over HTTP in both codecs: the same answers everywhere. */
import { pack, Unpackr, unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/client/index.js';
import { post } from '../support/http-request.js';
import { newClient } from '../support/new-client.js';
import { withServer } from '../support/with-server.js';

const timing = { queueUs: expect.any(Number), computeUs: expect.any(Number), totalUs: expect.any(Number) };

test('recommend: k items, best first, none of the history', () =>
	withServer(async ({ rpcUrl }) => {
		const history = ['item-03', 'item-40'];
		const answer = await newClient(rpcUrl).recommend('tiny', { history, k: 5 });
		expect(answer).toMatchObject({ model: 'tiny', version: '1.0.0', degraded: [], timing });
		expect(answer.items).toHaveLength(5);
		const scores = answer.items.map(({ score }) => score);
		expect(scores).toEqual([...scores].sort((a, b) => b - a));
		expect(answer.items.map(({ id }) => id)).not.toEqual(expect.arrayContaining(history));
		expect(answer.items.every(({ source }) => typeof source === 'string')).toBe(true);
	}));

test('rank: the same scores best first and in the order sent', () =>
	withServer(async ({ rpcUrl }) => {
		const client = newClient(rpcUrl);
		const candidates = ['item-10', 'item-20', 'item-30', 'no-such-item'];
		const { scores, degraded } = await client.rank('tiny', { user: 'user-2', candidates, order: 'input' });
		expect(scores).toHaveLength(4);
		expect(scores[3]).toBeNaN();
		expect(degraded).toContain('unknown_items');
		const { items } = await client.rank('tiny', { user: 'user-2', candidates });
		for (const { id, score } of items) expect(score).toBe(scores[candidates.indexOf(id as string)]);
	}));

test('rank: rows of the item table name the same items as ids', () =>
	withServer(async ({ rpcUrl }) => {
		const client = newClient(rpcUrl);
		const byId = await client.rank('tiny', { user: 'user-1', candidates: ['item-05', 'item-06'], order: 'input' });
		const byRow = await client.rank('tiny', { user: 'user-1', candidates: Uint32Array.of(5, 6), order: 'input' });
		expect(byRow.scores).toEqual(byId.scores);
	}));

test('similar: not the item itself', () =>
	withServer(async ({ rpcUrl }) => {
		const { items } = await newClient(rpcUrl).similar('tiny', { item: 'item-07', k: 3 });
		expect(items).toHaveLength(3);
		expect(items.map(({ id }) => id)).not.toContain('item-07');
	}));

test('score: floats, maps and lists give the same scores and decisions', () =>
	withServer(async ({ rpcUrl }) => {
		const client = newClient(rpcUrl);
		const packed = await client.score('scorer', { rows: Float32Array.of(1, 2, 3, 4, 0.5, 0, 0, 1) });
		const maps = await client.score('scorer@champion', {
			rows: [
				{ amount: 1, hour: 2, distance: 3, age_days: 4 },
				{ amount: 0.5, hour: 0, distance: 0, age_days: 1 },
			],
		});
		const lists = await client.score('scorer@1', {
			rows: [
				[1, 2, 3, 4],
				[0.5, 0, 0, 1],
			],
		});
		expect(packed.scores).toHaveLength(2);
		expect(packed.decisions).toHaveLength(2);
		expect([maps.scores, lists.scores]).toEqual([packed.scores, packed.scores]);
	}));

test('infer: the default graph gives what score gives, in the types and order asked for', () =>
	withServer(async ({ rpcUrl }) => {
		const client = newClient(rpcUrl);
		const data = Float32Array.of(1, 2, 3, 4, 0.5, 0, 0, 1);
		const { scores } = await client.score('scorer', { rows: data });
		const rows: Tensor = { name: 'rows', datatype: 'FP32', shape: [2, 4], data };
		const { outputs, model } = await client.infer('scorer', { inputs: [rows], outputs: ['score'] });
		expect(model).toBe('scorer');
		expect(outputs).toEqual([{ name: 'score', datatype: 'FP32', shape: [2, 1], data: scores }]);
		await expect(client.infer('scorer', { inputs: [{ ...rows, shape: [4, 2] }] })).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
		// The compiler sees it as well.
		const misread = { ...rows, datatype: 'FP64' } as unknown as Tensor;
		await expect(client.infer('scorer', { inputs: [misread] })).rejects.toThrow('must be a Float64Array, got Float32Array');
		await expect(client.infer('scorer', { inputs: [rows], outputs: ['logit'] })).rejects.toThrow(
			"unexpected inference output 'logit' for model 'scorer'",
		);
	}));

/** Without its timing, and with scores as the float32 they are: JSON writes their shortest decimal form. */
function comparable({ timing: _, items, ...rest }: Record<string, unknown>): object {
	const scored = items as { score: number }[];
	return { ...rest, items: scored.map((item) => ({ ...item, score: Math.fround(item.score) })) };
}

/** Where parts of these lengths begin. */
const offsetsOf = (lengths: number[]): number[] => lengths.map((_, at) => lengths.slice(0, at).reduce((sum, length) => sum + length, 0));

describe('HTTP', () => {
	test('infer takes tensors as lists of numbers', () =>
		withServer(async ({ base }) => {
			const rows = [1, 2, 3, 4];
			const inputs = [{ name: 'rows', datatype: 'FP32', shape: [1, 4], data: rows }];
			const { outputs } = (await post(`${base}/v1/infer/scorer`, JSON.stringify({ inputs }))).json();
			const { scores } = (await post(`${base}/v1/score/scorer`, JSON.stringify({ rows: [rows] }))).json();
			expect(outputs).toEqual([{ name: 'score', datatype: 'FP32', shape: [1, 1], data: scores }]);
		}));

	test.each([
		['recommend', 'tiny', { history: ['item-03'], k: 4 }],
		['rank', 'tiny', { user: 'user-2', candidates: ['item-10', 'item-11'] }],
		['similar', 'tiny', { item: 'item-07', k: 2 }],
	])('%s answers the same in JSON and in msgpack', (operation, model, body) =>
		withServer(async ({ base }) => {
			const url = `${base}/v1/${operation}/${model}`;
			const json = (await post(url, JSON.stringify(body), { 'x-request-id': 'same' })).json();
			const packed = unpack((await post(url, pack(body), { 'content-type': 'application/msgpack', 'x-request-id': 'same' })).body);
			expect(comparable(packed)).toEqual(comparable(json));
			expect(packed.request_id).toBe('same');
		}),
	);

	test('score is an array of numbers in JSON and bytes in msgpack', () =>
		withServer(async ({ base }) => {
			const rows = [[1, 2, 3, 4]];
			const json = (await post(`${base}/v1/score/scorer`, JSON.stringify({ rows }))).json();
			const packed = unpack((await post(`${base}/v1/score/scorer`, pack({ rows }), { 'content-type': 'application/msgpack' })).body);
			expect(packed.scores.readFloatLE(0)).toBeCloseTo((json['scores'] as number[])[0] as number, 6);
		}));

	test('the parts of a stream are together the scores of the whole answer', () =>
		withServer(async ({ base }) => {
			const url = `${base}/v1/score/scorer`;
			const headers = { 'content-type': 'application/msgpack' };
			const rows = Array.from({ length: 20_000 }, (_, at) => [at % 7, at % 24, at % 5, at % 3]);
			const { scores, decisions } = unpack((await post(url, pack({ rows }), headers)).body);
			const streamed = (await post(url, pack({ rows, stream: true }), headers)).body;
			const parts = new Unpackr({ useRecords: false }).unpackMultiple(streamed) as { scores: Buffer; decisions: string[] }[];
			expect(Buffer.concat(parts.map((part) => part.scores))).toEqual(scores);
			expect(parts.flatMap((part) => part.decisions)).toEqual(decisions);
		}));

	test('a stream of JSON is server-sent events, the last one says that it ends', () =>
		withServer(async ({ base }) => {
			const url = `${base}/v1/score/scorer`;
			const rows = Array.from({ length: 20_000 }, (_, at) => [at % 7, at % 24, at % 5, at % 3]);
			const { scores } = (await post(url, JSON.stringify({ rows }))).json();
			const streamed = await post(url, JSON.stringify({ rows, stream: true }));
			expect(streamed.headers['content-type']).toBe('text/event-stream');
			const events = streamed.body.toString().trimEnd().split('\n\n');
			expect(events.pop()).toBe('event: end\ndata: {}');
			const parts = events.map((event) => JSON.parse(event.replace(/^data: /, '')) as { offset: number; scores: number[] });
			expect(parts.flatMap((part) => part.scores)).toEqual(scores);
			expect(parts.map((part) => part.offset)).toEqual(offsetsOf(parts.map((part) => part.scores.length)));
		}));

	test('a curl without Content-Type and without a body gets recommendations', () =>
		withServer(async ({ base }) => {
			const { status, json } = await post(`${base}/v1/recommend/tiny`, undefined);
			expect(status).toBe(200);
			expect(json()).toMatchObject({ degraded: ['no_history'], request_id: expect.stringMatching(/./) });
		}));

	test('a chunked body is one body', () =>
		withServer(async ({ base }) => {
			const answer = await post(`${base}/v1/recommend/tiny`, ['{"history": ["item', '-03"], "k', '": 2}']);
			expect((answer.json()['items'] as unknown[]).length).toBe(2);
		}));
});

describe('never empty', () => {
	test.each([
		['an unknown user', { user: 'nobody', k: 3 }, 'unknown_user'],
		['a history of unknown ids', { history: ['never-heard-of'], k: 3 }, 'unknown_items'],
		['nothing at all', { k: 3 }, 'no_history'],
		['k beyond the catalogue', { k: 1000 }, 'short_catalogue'],
	])('%s gets items, and a word that says why they are not better', (_, body, word) =>
		withServer(async ({ rpcUrl }) => {
			const { items, degraded } = await newClient(rpcUrl).recommend('tiny', body);
			expect(items.length).toBeGreaterThanOrEqual(3);
			expect(degraded).toContain(word);
		}),
	);
});
