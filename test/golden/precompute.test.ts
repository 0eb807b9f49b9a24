/** What is computed of items at load gives what the whole graph gives: for stored items, and for live ones with other features. */
import { fileURLToPath } from 'node:url';
import { Packr, Unpackr } from 'msgpackr';
import { expect, onTestFinished, test } from 'vitest';
import { Codec, type NativeHandle, Operation } from '../../src/native/addon.js';
import { Engine } from '../../src/native/engine.js';
import { flushUntilAnswered } from '../support/flush-until-answered.js';

const path = fileURLToPath(new URL('../../models/packages/1.0.0', import.meta.url));
const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });
const candidates = ['cmake', 'ninja-build', 'gimp', 'libfmt-dev', 'an-item-of-today', 'python3-numpy', 'no-such-package'];

async function open(precomputeMib: number) {
	const engine = Engine.create({ computeThreads: 0, precomputeMib });
	onTestFinished(() => engine.close());
	const info = await engine.load(path);
	return { engine, info, handle: engine.attach() };
}

function rank(handle: NativeHandle): number[] {
	const body = { history: ['libboost-dev', 'debhelper'], candidates, order: 'input' };
	handle.submit(packr.pack(body), Codec.msgpack, Operation.rank, 'packages');
	const { slab, records } = flushUntilAnswered(handle);
	const [, offset = 0, length = 0] = records;
	const { scores } = unpackr.unpack(slab.subarray(offset, offset + length)) as { scores: Uint8Array };
	return [...new Float32Array(Uint8Array.from(scores).buffer)];
}

test('scores are those of the whole graph, before and after items change', async () => {
	const [fast, plain] = [await open(1024), await open(0)];
	expect(fast.info.precomputedBytes).toBeGreaterThan(0);
	expect(plain.info.precomputedBytes).toBe(0);
	const expectSame = () => {
		const expected = rank(plain.handle);
		for (const [i, score] of rank(fast.handle).entries()) {
			if (Number.isNaN(expected[i])) expect(score).toBeNaN();
			else expect(score).toBeCloseTo(expected[i] as number, 5);
		}
		return expected;
	};
	const before = expectSame();
	const embedding = Array.from({ length: 50 }, (_, at) => Math.sin(at));
	const items = packr.pack([
		{ id: 'cmake', columns: { 'trained_item.ncf_embedding': embedding } },
		{ id: 'an-item-of-today', columns: { 'trained_item.ncf_embedding': embedding } },
	]);
	for (const { engine } of [fast, plain]) expect(engine.upsert('packages', items)).toBe(2);
	const after = expectSame();
	expect(after[0]).not.toBeCloseTo(before[0] as number, 5);
	expect(before[4]).toBeNaN();
	expect(after[4]).not.toBeNaN();
	expect(after.slice(1, 4)).toEqual(before.slice(1, 4));
});
