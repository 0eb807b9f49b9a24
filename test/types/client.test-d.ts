/** What the client's types promise to a gateway's compiler. */
import { expectTypeOf, test } from 'vitest';
import type {
	CallOptions,
	EngineError,
	ErrorCode,
	Id,
	ItemsAnswer,
	RankdClient,
	ScoredItem,
	ScoresAnswer,
} from '../../src/client/index.js';

declare const client: RankdClient;

test('rank answers items, or scores when asked for the order sent', () => {
	expectTypeOf(client.rank('m', { candidates: ['a'] })).resolves.toEqualTypeOf<ItemsAnswer>();
	expectTypeOf(client.rank('m', { candidates: ['a'], order: 'best' })).resolves.toEqualTypeOf<ItemsAnswer>();
	expectTypeOf(client.rank('m', { candidates: ['a'], order: 'input' })).resolves.toEqualTypeOf<ScoresAnswer>();
});

test('recommend and similar answer items, score answers floats', () => {
	expectTypeOf(client.recommend('m')).resolves.toEqualTypeOf<ItemsAnswer>();
	expectTypeOf(client.similar('m', { item: 7 }))
		.resolves.toHaveProperty('items')
		.toEqualTypeOf<ScoredItem[]>();
	expectTypeOf(client.score('m', { rows: [[1, 2]] }))
		.resolves.toHaveProperty('scores')
		.toEqualTypeOf<Float32Array>();
});

test('ids are text, numbers and bigints', () => {
	expectTypeOf<Id>().toEqualTypeOf<string | number | bigint>();
	client.recommend('m', { user: 2n ** 60n, history: ['a', 1, 2n] });
	// @ts-expect-error an id is no object
	client.recommend('m', { user: {} });
});

test('candidates come in four forms', () => {
	client.rank('m', { candidates: [{ id: 1, features: { price: 2 } }] });
	client.rank('m', { candidates: Uint32Array.of(1) });
	client.rank('m', { candidates: BigUint64Array.of(1n) });
	// @ts-expect-error floats are no ids
	client.rank('m', { candidates: Float32Array.of(1) });
	// @ts-expect-error candidates are what is ranked
	client.rank('m', { k: 3 });
});

test('fields and options that do not exist are seen by the compiler', () => {
	// @ts-expect-error history, not histroy
	client.recommend('m', { histroy: ['a'] });
	// @ts-expect-error similar needs an item
	client.similar('m', {});
	// @ts-expect-error units belong to the name
	client.recommend('m', {}, { deadline: 5 });
	expectTypeOf<CallOptions>().toEqualTypeOf<{ deadlineMs?: number; signal?: AbortSignal; priority?: number }>();
});

test('errors have a closed list of codes', () => {
	expectTypeOf<EngineError['code']>().toEqualTypeOf<ErrorCode>();
	expectTypeOf<'OVERLOADED'>().toExtend<ErrorCode>();
	expectTypeOf<'OK'>().not.toExtend<ErrorCode>();
});

test('degraded is a closed list of words', () => {
	expectTypeOf<ItemsAnswer['degraded'][number]>().toExtend<string>();
	expectTypeOf<'fallback'>().toExtend<ItemsAnswer['degraded'][number]>();
	expectTypeOf<'falback'>().not.toExtend<ItemsAnswer['degraded'][number]>();
});
