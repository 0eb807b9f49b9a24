/** The client's frames as the wire knows them, and back. */
import fc from 'fast-check';
import { pack, unpack } from 'msgpackr';
import { expect, test } from 'vitest';
import {
	decodeAnswer,
	encodeBody,
	encodeFrame,
	fromEvents,
	fromRank,
	fromScore,
	toFeedback,
	toItems,
	toScores,
	toScoresPart,
} from '../../src/client/codec.js';
import { catalogue } from '../../src/errors.js';
import { Operation } from '../../src/native/addon.js';

const answer = { request_id: 3, model: 'tiny', version: '1.0.0', degraded: ['fallback'], timing: { queue: 1, compute: 2, total: 4 } };
const camelCase = {
	requestId: 3,
	model: 'tiny',
	version: '1.0.0',
	degraded: ['fallback'],
	timing: { queueUs: 1, computeUs: 2, totalUs: 4 },
};
const framed = (body: object, code = 0) => pack([1, 3, code, 0, true, body]);

const request = { operation: Operation.rank, target: 'tiny@champion', priority: 0, rows: 2 };
const bodyOf = (body: object) => unpack(encodeBody(body));

test('a request frame has its eight elements in order, absent hints as nil', () => {
	const body = encodeBody({ candidates: ['a', 'b'] });
	expect(unpack(encodeFrame({ ...request, body }, 9, 20))).toEqual([1, 2, 9, 'tiny@champion', 20, null, 2, { candidates: ['a', 'b'] }]);
	const unhinted = encodeFrame({ operation: Operation.recommend, target: 't', priority: 3, rows: 0, body: encodeBody({}) }, 2 ** 32 - 1, 0);
	expect(unpack(unhinted)).toEqual([1, 1, 2 ** 32 - 1, 't', null, 3, null, {}]);
});

test('a body is encoded once for every frame that carries it', () => {
	const body = encodeBody({ k: 5 });
	const frames = [encodeFrame({ ...request, body }, 1, 0), encodeFrame({ ...request, body }, 2, 7)].map(
		(frame) => unpack(frame) as unknown[],
	);
	expect(frames.map(([, , id, , deadlineMs, , , sent]) => [id, deadlineMs, sent])).toEqual([
		[1, null, { k: 5 }],
		[2, 7, { k: 5 }],
	]);
});

test('bodies are plain maps, not records of msgpackr', () => {
	expect([...encodeBody({ k: 5 })]).toEqual([0x81, 0xa1, 'k'.charCodeAt(0), 5]);
});

test('a field that is undefined is not sent', () => {
	expect(bodyOf({ k: 5, user: undefined })).toEqual({ k: 5 });
});

test("what msgpack cannot hold is the caller's mistake", () => {
	expect(() => encodeBody({ history: [2n ** 70n] })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('ids of every size arrive as they were sent', () => {
	const id = fc.oneof(fc.string(), fc.nat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }));
	fc.assert(
		fc.property(fc.array(id), (history) => {
			expect(bodyOf({ history })).toEqual({ history });
		}),
	);
});

test('integers beyond 2^53 come back as bigint, smaller ones as number', () => {
	const items = [
		{ id: 2n ** 60n, score: 1 },
		{ id: 5_000_000_000n, score: 1 },
	];
	const { body } = decodeAnswer(framed({ ...answer, items }));
	expect(toItems(body).items.map(({ id }) => id)).toEqual([2n ** 60n, 5_000_000_000]);
});

test('an answer with items is renamed to camelCase', () => {
	const items = [{ id: 'a', score: 0.5, source: 'popular' }];
	const { id, error, body } = decodeAnswer(framed({ ...answer, items }));
	expect({ id, error }).toEqual({ id: 3, error: undefined });
	expect(toItems(body)).toEqual({ ...camelCase, items });
});

test('events are renamed to snake_case, and what they have not is not sent', () => {
	const events = fromEvents([
		{ item: 'a', event: 'click', user: 7, value: 0.5, requestId: 'r0' },
		{ item: 2, event: 'view' },
	]);
	expect(bodyOf(events)).toEqual({
		events: [
			{ item: 'a', event: 'click', user: 7, value: 0.5, request_id: 'r0' },
			{ item: 2, event: 'view' },
		],
	});
	expect(toFeedback(decodeAnswer(framed({ ...answer, accepted: 2 })).body)).toEqual({ ...camelCase, accepted: 2 });
});

test('scores are floats wherever their bytes lay in the frame', () => {
	const scores = Float32Array.of(0.25, Number.NaN, -3);
	for (const pad of ['', 'a', 'ab', 'abc']) {
		const bytes = Buffer.from(scores.buffer);
		expect(toScores(decodeAnswer(framed({ pad, ...answer, scores: bytes })).body)).toEqual({ ...camelCase, scores });
	}
});

test('decisions are there when the model decides', () => {
	const { body } = decodeAnswer(framed({ ...answer, scores: Buffer.alloc(4), decisions: ['approve'] }));
	expect(toScores(body).decisions).toEqual(['approve']);
});

test('a part of a stream says its place, and its frame whether more come', () => {
	const scores = Float32Array.of(0.5);
	const { seq, isLast, body } = decodeAnswer(pack([1, 3, 0, 2, false, { ...answer, offset: 512, scores: Buffer.from(scores.buffer) }]));
	expect({ seq, isLast }).toEqual({ seq: 2, isLast: false });
	expect(toScoresPart(body)).toEqual({ ...camelCase, scores, offset: 512 });
});

test('an error frame becomes an EngineError of its code', () => {
	const body = { error: 'later', code: 'OVERLOADED', request_id: 3, retry_after_ms: 12 };
	const { error } = decodeAnswer(framed(body, catalogue.OVERLOADED.number));
	expect(error).toMatchObject({ code: 'OVERLOADED', message: 'later', retryable: true, retryAfterMs: 12 });
});

test.each([
	['no msgpack', Buffer.from([0xc1])],
	['no array', pack({ a: 1 })],
	['another version', pack([2, 1, 0, 0, true, {}])],
])('what is no answer frame is refused: %s', (_, frame) => {
	expect(() => decodeAnswer(frame)).toThrow();
});

test('packed candidates travel as bytes that say what they are', () => {
	expect(fromRank({ candidates: Uint32Array.of(1, 2), k: 3 })).toEqual({
		k: 3,
		id_type: 'u32_row',
		candidates: Buffer.from([1, 0, 0, 0, 2, 0, 0, 0]),
	});
	expect(fromRank({ candidates: BigUint64Array.of(1n) })).toEqual({ id_type: 'u64', candidates: Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]) });
	expect(fromRank({ candidates: ['a'] })).toEqual({ candidates: ['a'] });
});

test('a view into a larger buffer sends only its own rows', () => {
	const rows = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
	expect(fromScore({ rows })).toEqual({ rows: Buffer.from(Float32Array.of(2, 3).buffer) });
	expect(fromScore({ rows: [{ amount: 1 }] })).toEqual({ rows: [{ amount: 1 }] });
});
