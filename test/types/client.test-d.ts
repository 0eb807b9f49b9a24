/** What the client's types promise to a gateway's compiler. */
import { expectTypeOf, test } from 'vitest';
import {
	type CallOptions,
	type EngineError,
	type ErrorCode,
	type FeedbackAnswer,
	type FeedbackEvent,
	type Id,
	type ItemsAnswer,
	RankdClient,
	type ScoredItem,
	type ScoresAnswer,
	type ScoresPart,
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

test('feedback takes one event or several, each with an item and a name', () => {
	expectTypeOf(client.feedback('m', { item: 7, event: 'click' })).resolves.toEqualTypeOf<FeedbackAnswer>();
	const events: readonly FeedbackEvent[] = [{ item: 'a', event: 'rate', user: 2n, value: 5, requestId: 'r' }];
	client.feedback('m', events, { deadlineMs: 50 });
	// @ts-expect-error what was done
	client.feedback('m', { item: 7 });
	// @ts-expect-error a number
	client.feedback('m', { item: 7, event: 'rate', value: '5' });
});

test('streams give parts of scores, and know no order and no k', () => {
	expectTypeOf(client.scoreStream('m', { rows: [[1]] })).toExtend<AsyncIterable<ScoresPart>>();
	expectTypeOf(client.rankStream('m', { candidates: ['a'] })).toExtend<AsyncIterable<ScoresPart>>();
	expectTypeOf<ScoresPart>().toExtend<ScoresAnswer & { offset: number }>();
	// @ts-expect-error scores come in the order sent
	client.rankStream('m', { candidates: ['a'], order: 'best' });
	// @ts-expect-error all of them
	client.rankStream('m', { candidates: ['a'], k: 3 });
});

test('a client is made for one url or several', () => {
	expectTypeOf(RankdClient).toBeConstructibleWith('ws://a/rpc');
	expectTypeOf(RankdClient).toBeConstructibleWith(['ws://a/rpc', 'ws://b/rpc'], { retry: { attempts: 2 }, hedge: { afterMs: 20 } });
	// @ts-expect-error hedging needs its time
	new RankdClient('ws://a/rpc', { hedge: {} });
	expectTypeOf(client.stats().connections[0]?.state).toEqualTypeOf<'idle' | 'waiting' | 'connecting' | 'ready' | 'silent' | undefined>();
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
	expectTypeOf<CallOptions>().toEqualTypeOf<{ deadlineMs?: number; signal?: AbortSignal; priority?: number; traceparent?: string }>();
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
