import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalogue } from '../../src/errors.js';
import { Codec, type NativeCore, type NativeHandle, Operation, ticketSlot } from '../../src/native/addon.js';
import { loadAddon } from '../../src/native/load-addon.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { answers, ask, fixture, frame, pack } from './frames.js';

const addon = loadAddon();
const codeNumber = (name: keyof typeof catalogue): number => catalogue[name].number;
const withCode = (code: string) => expect.objectContaining({ code });

let core: NativeCore;
let handle: NativeHandle;

beforeEach(async () => {
	core = addon.createCore({ computeThreads: 1 });
	await core.load(fixture('tiny'));
	handle = addon.attach(core.id);
});

afterEach(async () => {
	handle.detach();
	await core.close();
});

test('the error catalogue of C++ and that of TypeScript are one', () => {
	const ours = Object.entries(catalogue).map(([name, { number, status, retryable }]) => ({ number, name, httpStatus: status, retryable }));
	expect(addon.catalogue()).toEqual(ours);
});

describe('a core', () => {
	test('loads a bundle and tells what it found', async () => {
		const info = await core.load(fixture('scorer'));
		expect(info).toMatchObject({ name: 'scorer', version: '1.0.0', kind: 'scorer', operations: ['score', 'infer'], goldenPassed: 1 });
		expect(core.stats().models.map((model) => model.name)).toEqual(['scorer', 'tiny']);
		expect(core.models()).toEqual(core.stats().models);
	});

	test('refuses what is no bundle, with the file in the message', async () => {
		await expect(core.load('/nowhere')).rejects.toEqual(withCode('BUNDLE_MISSING_FILE'));
		await expect(core.load('/nowhere')).rejects.toThrow('manifest.json');
	});

	test('has an event log where it is given a folder, and tells of it after it has closed', async () => {
		expect([core.eventLog(), core.stats().eventLog]).toEqual([undefined, undefined]);
		const logging = addon.createCore({ computeThreads: 0, eventLog: temporaryFolder(), eventLogFsync: 'never', eventLogSegmentMib: 1 });
		await logging.load(fixture('tiny'));
		expect(logging.models()[0]?.operations).toContain('feedback');
		const itsHandle = addon.attach(logging.id);
		expect(ask(itsHandle, frame(1, 'tiny', { item: 'item-00', event: 'click' }, Operation.feedback)).body).toMatchObject({ accepted: 1 });
		itsHandle.detach();
		await logging.close();
		expect(logging.eventLog()).toMatchObject({ accepted: 1, lost: 0, queuedEvents: 0, segments: 1, fault: '' });
	});

	test.each([
		['eventLog', 7, 'path of a folder'],
		['eventLogFsync', 'sometimes', 'never, interval or always'],
		['eventLogKeepMib', -1, 'whole number'],
	])('refuses %s: %s', (name, value, words) => {
		expect(() => addon.createCore({ [name]: value })).toThrow(words);
	});

	test('routes aliases and refuses unknown ones', () => {
		core.route('tiny', { champion: '1.0.0', blue: '1.0.0' });
		expect(core.stats().models[0]?.aliases).toEqual(['blue', 'champion']);
		expect(() => core.route('tiny', { champion: '9.0.0' })).toThrow(withCode('UNKNOWN_VERSION'));
		expect(() => core.route('nobody', {})).toThrow(withCode('UNKNOWN_MODEL'));
	});

	test('unloads a version, after which its target is unknown', async () => {
		await core.unload('tiny', '1.0.0');
		expect(ask(handle, frame(1, 'tiny', {})).body.code).toBe('UNKNOWN_MODEL');
		await expect(core.unload('tiny', '1.0.0')).rejects.toEqual(withCode('UNKNOWN_MODEL'));
	});

	test('is tuned by model, for versions that come later too', async () => {
		core.tune('tiny', { sloP99Ms: 20 });
		core.tune('scorer', { sloP99Ms: 20, maxBatchUs: 700 });
		expect(core.stats().models[0]).toMatchObject({ name: 'tiny', batchUs: 4_500, waitUs: 18_000 });
		expect(await core.load(fixture('scorer'))).toMatchObject({ batchUs: 700, waitUs: 18_000 });
		expect(() => core.tune('scorer', { maxWaitMs: -1 })).toThrow('maxWaitMs must be a whole number from 0');
	});

	test('removes items from every answer and takes them back', () => {
		const first = ask(handle, frame(1, 'tiny', { user: 'user-1' })).body.items?.[0]?.id;
		expect(core.remove('tiny', pack([first, 'ghost']))).toBe(1);
		expect(ask(handle, frame(2, 'tiny', { user: 'user-1', k: 64 })).body.items?.map((item) => item.id)).not.toContain(first);
		expect(core.upsert('tiny', pack([{ id: first }]))).toBe(1);
		expect(ask(handle, frame(3, 'tiny', { user: 'user-1' })).body.items?.[0]?.id).toBe(first);
		expect(() => core.upsert('tiny', pack({ id: first }))).toThrow(withCode('INVALID_BODY'));
		expect(() => core.remove('tiny', new Uint8Array([0xc1]))).toThrow(withCode('INVALID_BODY'));
	});

	test('is found by its id until it is closed', async () => {
		expect(addon.core(core.id).stats().models).toHaveLength(1);
		await core.close();
		expect(() => addon.core(core.id)).toThrow(withCode('INVALID_HANDLE'));
	});

	test('counts requests, errors, rows and batches by operation', () => {
		for (let id = 0; id < 8; id++) handle.submit(frame(id, 'tiny', { user: `user-${id}`, k: 3 }), Codec.msgpack);
		handle.submit(frame(8, 'tiny', { k: 0 }), Codec.msgpack);
		expect(answers(handle)).toHaveLength(9);
		const recommend = core.stats().operations.find((operation) => operation.operation === 'recommend');
		expect(recommend).toMatchObject({ model: 'tiny', requests: 9, errors: { INVALID_ARGUMENT: 1 } });
		expect(recommend?.batchRequests.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
		expect(recommend?.requestUs.counts.reduce((sum, count) => sum + count, 0)).toBe(9);
	});
});

describe('a handle', () => {
	test('answers frames with their ids, in one flush', () => {
		handle.submit(frame(1, 'tiny', { user: 'user-1' }), Codec.msgpack);
		handle.submit(frame('two', 'tiny', { history: ['item-01'] }), Codec.msgpack);
		expect(answers(handle).map((answer) => [answer.id, answer.code])).toEqual([
			[1, 0],
			['two', 0],
		]);
	});

	test('answers a bare body as HTTP sends it', () => {
		const ticket = handle.submit(Buffer.from('{"user":"user-2","k":2}'), Codec.json, Operation.recommend, 'tiny', 50, 'req-1');
		const flush = handle.flush(1000);
		const [got, offset = 0, length = 0, flags = 0] = flush.records;
		const body = JSON.parse(Buffer.from(flush.slab.subarray(offset, offset + length)).toString());
		expect([got, flags]).toEqual([ticket, 0x100]);
		expect(body).toMatchObject({ request_id: 'req-1', model: 'tiny', version: '1.0.0', degraded: [] });
		expect(body.items).toHaveLength(2);
	});

	test('takes an ArrayBuffer as well as a Uint8Array, and no other array', () => {
		const bytes = frame(1, 'tiny', {});
		expect(handle.submit(bytes.slice().buffer, Codec.msgpack)).toBeGreaterThanOrEqual(0);
		expect(handle.submit(Buffer.from(bytes), Codec.msgpack)).toBeGreaterThanOrEqual(0);
		for (const wrong of ['text', 7, null, undefined, {}, [1], new Float32Array(4), new DataView(new ArrayBuffer(8))])
			expect(() => handle.submit(wrong as Uint8Array, Codec.msgpack)).toThrow(withCode('INVALID_ARGUMENT'));
		expect(() => handle.submit(bytes, 9 as Codec)).toThrow(withCode('INVALID_ARGUMENT'));
		expect(() => handle.submit(bytes, Codec.json, 99 as Operation, 'tiny')).toThrow(withCode('INVALID_ARGUMENT'));
		expect(() => handle.submit(bytes, Codec.json, Operation.rank, 5 as unknown as string)).toThrow(withCode('INVALID_ARGUMENT'));
		expect(answers(handle)).toHaveLength(2);
	});

	test('keeps an older slab readable after later flushes', () => {
		handle.submit(frame(1, 'tiny', { k: 5 }), Codec.msgpack);
		const { slab } = handle.flush(1000);
		for (let id = 0; id < 500; id++) handle.submit(frame(id, 'tiny', { k: 64 }), Codec.msgpack);
		answers(handle);
		expect(slab.byteLength).toBeGreaterThan(0);
		expect(slab[0]).toBeTypeOf('number');
	});

	test('gives tickets whose slots are dense, different while open, and used anew afterwards', () => {
		const submit = () => handle.submit(frame(1, 'tiny', {}), Codec.msgpack);
		const first = [submit(), submit(), submit()];
		answers(handle);
		const second = [submit(), submit(), submit()];
		for (const tickets of [first, second]) expect(tickets.map(ticketSlot).sort()).toEqual([0, 1, 2]);
		expect(new Set([...first, ...second]).size).toBe(6);
	});

	test('gives no answer to a cancelled ticket', () => {
		const ticket = handle.submit(frame(1, 'tiny', {}), Codec.msgpack);
		handle.submit(frame(2, 'tiny', {}), Codec.msgpack);
		expect(handle.cancel(ticket)).toBe(true);
		expect(handle.cancel(ticket)).toBe(false);
		expect(handle.cancel(123456)).toBe(false);
		expect(answers(handle).map((answer) => answer.id)).toEqual([2]);
	});

	test('answers DRAINING once the core drains, and ENGINE_CLOSED after close', async () => {
		core.drain();
		expect(ask(handle, frame(1, 'tiny', {})).body.code).toBe('DRAINING');
		await core.close();
		await core.close();
		expect(handle.submit(frame(2, 'tiny', {}), Codec.msgpack)).toBe(-codeNumber('ENGINE_CLOSED'));
		expect(handle.flush(1000).records).toHaveLength(0);
		await expect(core.load(fixture('tiny'))).rejects.toEqual(withCode('ENGINE_CLOSED'));
	});

	test('is quiet after detach', () => {
		handle.submit(frame(1, 'tiny', {}), Codec.msgpack);
		handle.detach();
		handle.detach();
		expect(handle.flush(1000).records).toHaveLength(0);
		expect(handle.submit(frame(2, 'tiny', {}), Codec.msgpack)).toBe(-codeNumber('ENGINE_CLOSED'));
		expect(core.stats().openRequests).toBe(0);
	});

	test('calls back when long work has finished', async () => {
		const long = addon.createCore({ computeThreads: 1, shortWorkUs: 0 });
		await long.load(fixture('tiny'));
		const other = addon.attach(long.id);
		const ready = new Promise<void>((resolve) => other.onReady(resolve));
		ask(other, frame(1, 'tiny', {}));
		other.submit(frame(2, 'tiny', {}), Codec.msgpack);
		expect(answers(other)).toHaveLength(0);
		await ready;
		expect(answers(other).map((answer) => answer.id)).toEqual([2]);
		other.detach();
		await long.close();
	});
});

describe('a method on the wrong object', () => {
	test('throws INVALID_HANDLE and does not crash', () => {
		for (const wrong of [{}, core, null, 5, Object.create(handle)])
			expect(() => handle.flush.call(wrong as NativeHandle, 1000)).toThrow(withCode('INVALID_HANDLE'));
		expect(() => core.stats.call(handle as unknown as NativeCore)).toThrow(withCode('INVALID_HANDLE'));
		expect(() => addon.attach(987654)).toThrow(withCode('INVALID_HANDLE'));
	});
});

describe('options', () => {
	test('that make no sense are refused by name', () => {
		expect(() => addon.createCore({ queueCapacity: -1 })).toThrow('queueCapacity');
		expect(() => addon.createCore({ shortWorkUs: 1.5 })).toThrow('shortWorkUs');
		expect(() => addon.createCore({ computeThreads: 100_000 })).toThrow('computeThreads');
		expect(() => addon.createCore({ observe: 'no' as unknown as boolean })).toThrow('observe');
	});

	test('a core that does not observe answers with timing and counts nothing', async () => {
		const unobserved = addon.createCore({ computeThreads: 1, observe: false });
		await unobserved.load(fixture('tiny'));
		const own = addon.attach(unobserved.id);
		const { code, body } = ask(own, frame(1, 'tiny', {}));
		expect(code).toBe(0);
		expect(body).toMatchObject({ timing: { queue: expect.any(Number), compute: expect.any(Number), total: expect.any(Number) } });
		expect(ask(own, frame(2, 'films', {})).code).toBe(codeNumber('UNKNOWN_MODEL'));
		const { operations, errors, openRequests } = unobserved.stats();
		expect(operations.map(({ requests, requestUs }) => requests + requestUs.sum)).toEqual(operations.map(() => 0));
		expect({ errors, openRequests }).toEqual({ errors: {}, openRequests: 0 });
		own.detach();
		await unobserved.close();
	});
});
