/** The friendly face: native errors become EngineErrors that point at the caller's line. */
import { expect, test } from 'vitest';
import type { Addon, NativeCore } from '../../src/native/addon.js';
import { Engine } from '../../src/native/engine.js';
import { FakeEngine } from '../support/fake-engine.js';

const nativeError = (code: string, message: string) => Object.assign(new Error(message), { code });

function newEngine(core: Partial<NativeCore>): Engine {
	const addon = { createCore: () => ({ id: 7, ...core }), attach: () => new FakeEngine() } as unknown as Addon;
	return Engine.create({}, addon);
}

test('a rejection becomes an EngineError with the caller in its stack', async () => {
	const engine = newEngine({ load: () => Promise.reject(nativeError('BUNDLE_MISSING_FILE', 'no manifest.json')) });
	const error = await engine.load('/nowhere').catch((thrown) => thrown);
	expect(error).toMatchObject({ name: 'EngineError', code: 'BUNDLE_MISSING_FILE', status: 500, message: 'no manifest.json' });
	expect(error.stack).toMatch(/^EngineError: no manifest\.json\n {4}at .*engine\.test\.ts/);
});

test('a throw becomes an EngineError with the caller in its stack', () => {
	const engine = newEngine({
		route: () => {
			throw nativeError('UNKNOWN_MODEL', 'no model "x"');
		},
	});
	expect(() => engine.route('x', {})).toThrow(
		expect.objectContaining({ code: 'UNKNOWN_MODEL', stack: expect.stringMatching(/engine\.test\.ts/) }),
	);
});

test('options out of range are refused at once', () => {
	const addon = {
		createCore: () => {
			throw nativeError('INVALID_ARGUMENT', 'computeThreads must be at most 256');
		},
	} as unknown as Addon;
	expect(() => Engine.create({ computeThreads: 1000 }, addon)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', status: 400 }));
});

test('what the core returns is passed on', async () => {
	const engine = newEngine({ upsert: () => 2, remove: () => 1, drain: () => {}, close: async () => {}, unload: async () => {} });
	expect(engine.id).toBe(7);
	expect(engine.upsert('tiny', new Uint8Array())).toBe(2);
	expect(engine.remove('tiny', new Uint8Array())).toBe(1);
	expect(engine.attach()).toBeInstanceOf(FakeEngine);
	engine.drain();
	await engine.unload('tiny', '1.0.0');
	await engine.close();
});
