import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Codec } from '../../src/native/addon.js';
import { Engine } from '../../src/native/engine.js';
import { answers, frame } from '../addon/frames.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const bundle = fileURLToPath(new URL('../../models/packages/1.0.0', import.meta.url));

/** Memory that belongs to this process alone; mapped files are the kernel's to keep or drop. */
function anonymousKiB(): number {
	collectGarbage();
	return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

/** `cycle` 100 times; the growth of anonymous memory from the 20th time to the last. */
async function growth(cycle: () => Promise<void>): Promise<number> {
	let settled = 0;
	for (let i = 1; i <= 100; i++) {
		await cycle();
		if (i === 20) settled = anonymousKiB();
	}
	return anonymousKiB() / settled - 1;
}

test('a hundred load and unload cycles leave memory where it was', { timeout: 600_000 }, async () => {
	const engine = Engine.create({ computeThreads: 1 });
	const handle = engine.attach();
	const grown = await growth(async () => {
		const { version } = await engine.load(bundle);
		for (let id = 0; id < 16; id++) handle.submit(frame(id, 'packages', { history: ['cmake', 'libboost-dev'], k: 10 }), Codec.msgpack);
		expect(answers(handle).every((answer) => answer.code === 0)).toBe(true);
		await engine.unload('packages', version);
		await nextTurn();
	});
	expect(grown).toBeLessThanOrEqual(0.02);
	handle.detach();
	await engine.close();
});

test('ten thousand bad frames leave memory where it was, and every one is answered', { timeout: 600_000 }, async () => {
	const engine = Engine.create({ computeThreads: 0 });
	await engine.load(bundle);
	const handle = engine.attach();
	const good = frame(1, 'packages', { history: ['cmake'], k: 3 });
	let seed = 1;
	const random = (below: number): number => {
		seed = (seed * 48_271) % 2_147_483_647;
		return seed % below;
	};
	const grown = await growth(async () => {
		for (let i = 0; i < 100; i++) {
			const bad = good.slice(0, 1 + random(good.length));
			bad[random(bad.length)] = random(256);
			expect(handle.submit(bad, Codec.msgpack)).toBeGreaterThanOrEqual(0);
		}
		expect(answers(handle)).toHaveLength(100);
		await nextTurn();
	});
	expect(grown).toBeLessThanOrEqual(0.02);
	handle.submit(good, Codec.msgpack);
	expect(answers(handle)[0]?.code).toBe(0);
	handle.detach();
	await engine.close();
});
