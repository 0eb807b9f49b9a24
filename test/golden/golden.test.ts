import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Packr, Unpackr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Codec, type NativeHandle, Operation, type OperationName, recordLength } from '../../src/native/addon.js';
import { Engine } from '../../src/native/engine.js';
import { flushUntilAnswered } from '../support/flush-until-answered.js';

/** Every bundle of the project with the requests that training answered for it (PyTorch; numpy for the fixtures). */
const bundles = ['test/fixtures/models/tiny/1.0.0', 'test/fixtures/models/scorer/1.0.0', 'models/packages/1.0.0'];

interface GoldenRequest {
	name: string;
	op: OperationName;
	body: Record<string, unknown>;
	expect: { items?: (string | number)[]; scores?: Uint8Array; tolerance?: number; min_overlap?: number };
}

interface AnswerBody {
	items?: { id: string | number; score: number }[];
	scores?: Uint8Array | (number | null)[];
}

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

const floats = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

function answer(handle: NativeHandle, codec: Codec, target: string, { op, body }: GoldenRequest): AnswerBody {
	const bytes = codec === Codec.json ? Buffer.from(JSON.stringify(body)) : packr.pack(body);
	handle.submit(bytes, codec, Operation[op], target);
	const { slab, records } = flushUntilAnswered(handle);
	const [, offset = 0, length = 0] = records;
	const reply = slab.subarray(offset, offset + length);
	return codec === Codec.json ? JSON.parse(Buffer.from(reply).toString()) : unpackr.unpack(reply);
}

function expectScores(actual: AnswerBody, expected: Float32Array, tolerance: number): void {
	const scores = actual.scores instanceof Uint8Array ? floats(actual.scores) : (actual.scores ?? []);
	expect(scores).toHaveLength(expected.length);
	for (const [i, score] of scores.entries()) {
		if (Number.isNaN(expected[i])) expect(score ?? Number.NaN).toBeNaN();
		else expect(Math.abs((score ?? Number.NaN) - (expected[i] ?? 0))).toBeLessThanOrEqual(tolerance);
	}
}

function expectItems(actual: AnswerBody, { items = [], scores, min_overlap = 1 }: GoldenRequest['expect'], tolerance: number): void {
	const found = new Map(actual.items?.map((item) => [item.id, item.score]));
	expect(items.filter((id) => found.has(id)).length / items.length).toBeGreaterThanOrEqual(min_overlap);
	if (scores === undefined) return;
	for (const [i, score] of floats(scores).entries()) {
		const served = found.get(items[i] ?? '');
		if (served !== undefined) expect(Math.abs(served - score)).toBeLessThanOrEqual(tolerance);
	}
}

describe.each(bundles)('%s', (folder) => {
	const path = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
	const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
	const golden = unpackr.unpack(readFileSync(join(path, manifest.golden))) as GoldenRequest[];
	const engine = Engine.create({ computeThreads: 0 });
	let handle: NativeHandle;

	beforeAll(async () => {
		await engine.load(path);
		handle = engine.attach();
	});
	afterAll(async () => {
		handle.detach();
		await engine.close();
	});

	test.each([
		['msgpack', Codec.msgpack],
		['json', Codec.json],
	] as const)('the engine gives what training computed, asked in %s', (_, codec) => {
		for (const request of golden.filter(
			({ op, body }) => codec === Codec.msgpack || (op !== 'score' && !(body['candidates'] instanceof Uint8Array)),
		)) {
			const reply = answer(handle, codec, manifest.name, request);
			const tolerance = request.expect.tolerance ?? manifest.tolerances.score;
			if (request.expect.items) expectItems(reply, request.expect, tolerance);
			else expectScores(reply, floats(request.expect.scores ?? new Uint8Array()), tolerance);
		}
	});

	test('a batch equals its requests one by one', () => {
		const ranked = golden.filter(({ op, expect: { scores } }) => op === 'rank' && scores !== undefined).slice(0, 16);
		for (const { body } of ranked) handle.submit(packr.pack(body), Codec.msgpack, Operation.rank, manifest.name);
		const { slab, records } = handle.flush(1_000_000);
		const together = ranked.map((_, i) => {
			const [, offset = 0, length = 0] = records.subarray(i * recordLength);
			return (unpackr.unpack(slab.slice(offset, offset + length)) as AnswerBody).scores as Uint8Array;
		});
		for (const [i, request] of ranked.entries())
			expectScores(answer(handle, Codec.msgpack, manifest.name, request), floats(together[i] ?? new Uint8Array()), 1e-6);
	});
});
