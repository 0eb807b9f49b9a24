/** Each code once, from the input that earns it, over the transports that can. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Packr, pack, unpack } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { type CodeName, catalogue } from '../../src/errors.js';
import { Operation } from '../../src/native/addon.js';
import { Engine } from '../../src/native/engine.js';
import { http, post } from '../support/http-request.js';
import { maskedFrame, RawWebSocket } from '../support/raw-websocket.js';
import { ask, exchange, frame, read } from '../support/rpc-peer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { fixtureModels, withServer } from '../support/with-server.js';

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('bodies', () => {
	const cases: [CodeName, operation: keyof typeof Operation, target: string, body: unknown, words: string][] = [
		['INVALID_BODY', 'recommend', 'tiny', [], 'map'],
		['INVALID_ARGUMENT', 'recommend', 'tiny', { k: 0 }, '"k" must be an integer from 1'],
		['INVALID_ARGUMENT', 'recommend', 'tiny', { k: -3 }, '"k"'],
		['INVALID_ARGUMENT', 'recommend', 'tiny', { histroy: [] }, 'histroy'],
		['LIMIT_EXCEEDED', 'recommend', 'tiny', { k: 10_001 }, '10000'],
		['SHAPE_MISMATCH', 'score', 'scorer', { rows: [[1, 2, 3]] }, '4'],
		['UNKNOWN_MODEL', 'recommend', 'films', {}, 'films'],
		['UNKNOWN_VERSION', 'recommend', 'tiny@7.0.0', {}, '7.0.0'],
		['UNKNOWN_VERSION', 'recommend', 'tiny@challenger', {}, 'challenger'],
		['UNSUPPORTED_OPERATION', 'recommend', 'scorer', {}, 'recommend'],
		['UNKNOWN_ITEM', 'similar', 'tiny', { item: 'no-such-item' }, 'no-such-item'],
	];

	test.each(cases)('%s of %s on %s: %j', (code, operation, target, body, words) =>
		withServer(async ({ port, base }) => {
			const rpc = await ask(port, frame({ id: 'r-1', operation: Operation[operation], target, body }));
			expect(rpc).toMatchObject({ id: 'r-1', number: catalogue[code].number, body: { code, request_id: 'r-1' } });
			expect(rpc.body['error']).toContain(words);

			const url = `${base}/v1/${operation}/${encodeURIComponent(target)}`;
			const json = await post(url, JSON.stringify(body), { 'x-request-id': 'h-1' });
			expect(json.status).toBe(catalogue[code].status);
			expect(json.json()).toMatchObject({ code, request_id: 'h-1', error: expect.stringContaining(words) });

			const packed = await post(url, pack(body), { 'x-request-id': 'h-2', 'content-type': 'application/msgpack' });
			expect(packed.status).toBe(catalogue[code].status);
			expect(unpack(packed.body)).toMatchObject({ code, request_id: 'h-2' });
		}),
	);

	test('INVALID_BODY for JSON that stops, with the request it belongs to', () =>
		withServer(async ({ base }) => {
			const answer = await post(`${base}/v1/recommend/tiny`, '{"history": ["item-0', { 'x-request-id': 'cut' });
			expect(answer).toMatchObject({ status: 400 });
			expect(answer.json()).toMatchObject({ code: 'INVALID_BODY', request_id: 'cut' });
		}));

	test('NOT_FINITE for features that are NaN', () =>
		withServer(async ({ port }) => {
			const body = { candidates: ['item-00'], features: { age: Number.NaN } };
			expect(await ask(port, frame({ operation: Operation.rank, body }))).toMatchObject({ body: { code: 'NOT_FINITE' } });
			const rows = Buffer.from(Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4).buffer);
			const score = await ask(port, frame({ operation: Operation.score, target: 'scorer', body: { rows } }));
			expect(score).toMatchObject({ body: { code: 'NOT_FINITE' } });
		}));

	test('UNSUPPORTED_EXTENSION for records and typed arrays of msgpackr', () =>
		withServer(async ({ port }) => {
			const records = new Packr({ useRecords: true }).pack([1, 1, 5, 'tiny', null, null, null, { k: 3, history: ['item-00'] }]);
			expect(await ask(port, records)).toMatchObject({ id: 5, body: { code: 'UNSUPPORTED_EXTENSION' } });
			const body = { rows: Float32Array.of(1, 2, 3, 4) };
			const typed = new Packr({ useRecords: false, moreTypes: true }).pack([1, Operation.score, 6, 'scorer', null, null, null, body]);
			expect(await ask(port, typed)).toMatchObject({ id: 6, body: { code: 'UNSUPPORTED_EXTENSION' } });
		}));
});

describe('frames', () => {
	test.each([
		['no msgpack', Buffer.from([0xc1])],
		['nothing', Buffer.alloc(0)],
		['text', pack('hello')],
		['a map', pack({ op: 1 })],
		['too few elements', pack([1, 1])],
		['another version', pack([9, 1, 3, 'tiny', null, null, null, {}])],
		['cut off', Buffer.from(frame()).subarray(0, 9)],
	])('INVALID_FRAME: %s', (_, bytes) =>
		withServer(async ({ port }) => {
			expect(await ask(port, bytes)).toMatchObject({ number: catalogue.INVALID_FRAME.number, body: { code: 'INVALID_FRAME' } });
		}),
	);

	test('UNKNOWN_OPERATION for a number that is none, UNSUPPORTED_OPERATION for one that comes later', () =>
		withServer(async ({ port }) => {
			expect(await ask(port, frame({ operation: 99 }))).toMatchObject({ id: 1, body: { code: 'UNKNOWN_OPERATION' } });
			expect(await ask(port, frame({ operation: Operation.explain }))).toMatchObject({ id: 1, body: { code: 'UNSUPPORTED_OPERATION' } });
		}));

	test('LIMIT_EXCEEDED for a body nested deeper than anybody needs', () =>
		withServer(async ({ port, base }) => {
			const body = { history: nested(40) };
			expect(await ask(port, frame({ body }))).toMatchObject({ id: 1, body: { code: 'LIMIT_EXCEEDED' } });
			expect((await post(`${base}/v1/recommend/tiny`, JSON.stringify(body))).json()).toMatchObject({ code: 'LIMIT_EXCEEDED' });
		}));

	test('TOO_LARGE on both transports, with the id, and the connection lives', () =>
		withServer(
			async ({ port, base }) => {
				const body = { history: ['x'.repeat(5000)] };
				const [large, small] = await exchange(port, [frame({ id: 'big', body }), frame({ id: 'small', body: { k: 1 } })]);
				expect(large).toMatchObject({ id: 'big', number: catalogue.TOO_LARGE.number, body: { code: 'TOO_LARGE' } });
				expect(small).toMatchObject({ id: 'small', number: 0 });
				expect(await post(`${base}/v1/recommend/tiny`, JSON.stringify(body))).toMatchObject({ status: 413 });
			},
			{ maxFrameBytes: 4096 },
		));

	test('a message beyond the transport itself closes that connection only', () =>
		withServer(async ({ port }) => {
			const peer = await RawWebSocket.connect(port);
			peer.socket.write(maskedFrame(Buffer.alloc(17 * 1024 * 1024)));
			await vi.waitUntil(() => peer.isEnded, { timeout: 10_000 });
			expect(await ask(port, frame())).toMatchObject({ number: 0 });
		}));

	test('bad frames do not touch their neighbours in the same segment', () =>
		withServer(async ({ port }) => {
			const answers = await exchange(port, [
				frame({ id: 1, body: { k: 2 } }),
				Buffer.from([0xc1]),
				frame({ id: 2, body: { k: 0 } }),
				frame({ id: 3 }),
			]);
			const numbers = new Map(answers.map(({ id, number }) => [id, number]));
			expect(numbers).toEqual(
				new Map<unknown, number>([
					[1, 0],
					[null, 1],
					[2, 3],
					[3, 0],
				]),
			);
		}));
});

describe('paths', () => {
	test('NOT_FOUND and METHOD_NOT_ALLOWED', () =>
		withServer(async ({ base }) => {
			expect((await http(`${base}/v1/films`)).json()).toMatchObject({ code: 'NOT_FOUND' });
			expect((await http(`${base}/v1/rank/tiny`)).json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
		}));

	test('MODEL_NOT_READY while no model serves', () =>
		withServer(
			async ({ base }) => {
				const answer = await http(`${base}/v2/health/ready`);
				expect(answer.status).toBe(503);
				expect(answer.json()).toMatchObject({ ready: false, code: 'MODEL_NOT_READY' });
			},
			{ modelRepository: [temporaryFolder()] },
		));
});

describe('load', () => {
	test('OVERLOADED beyond the queue, with advice when to come back; the rest is answered', () =>
		withServer(
			async ({ port }) => {
				const answers = await exchange(
					port,
					Array.from({ length: 20 }, (_, id) => frame({ id, body: { k: 1 } })),
				);
				const refused = answers.filter(({ number }) => number === catalogue.OVERLOADED.number);
				const answered = answers.filter(({ number }) => number === 0);
				expect(answered.length).toBeGreaterThanOrEqual(4);
				expect(refused.length).toBeGreaterThanOrEqual(4);
				expect(answered.length + refused.length).toBe(20);
				expect(refused[0]?.body).toMatchObject({ code: 'OVERLOADED', retry_after_ms: expect.any(Number) });
				expect(new Set(answers.map(({ id }) => id)).size).toBe(20);
			},
			{ queueCapacity: 4 },
		));

	test('DEADLINE_EXCEEDED for a body that takes longer than its deadline', () =>
		withServer(async ({ port }) => {
			const { connect } = await import('node:net');
			const socket = connect(port, '127.0.0.1');
			const received: Buffer[] = [];
			socket.on('data', (bytes: Buffer) => received.push(bytes));
			socket.write('POST /v1/recommend/tiny HTTP/1.1\r\nHost: x\r\nX-Deadline-Ms: 1\r\nContent-Length: 2\r\n\r\n{');
			const started = performance.now();
			await vi.waitUntil(() => performance.now() - started > 20);
			socket.write('}');
			await vi.waitUntil(() => Buffer.concat(received).toString().includes('DEADLINE_EXCEEDED'));
			expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 504 Gateway Timeout/);
			socket.destroy();
		}));

	test('CANCELLED is counted when a caller goes while its request waits', () =>
		withServer(async ({ port, engine }) => {
			const peer = await RawWebSocket.connect(port);
			const many = Array.from({ length: 2000 }, (_, id) => maskedFrame(frame({ id, body: { k: 60 } })));
			peer.socket.write(Buffer.concat(many), () => peer.socket.resetAndDestroy());
			await vi.waitUntil(() => engine.stats().openRequests === 0 && peer.isEnded);
			expect(await ask(port, frame())).toMatchObject({ number: 0 });
		}));

	test('DRAINING for frames that come too late', () =>
		withServer(async ({ port, engine }) => {
			const peer = await RawWebSocket.connect(port);
			engine.drain();
			peer.socket.write(maskedFrame(frame({ id: 8 })));
			const [message] = await peer.waitForMessages(1);
			expect(read(message as Buffer)).toMatchObject({ id: 8, number: catalogue.DRAINING.number, body: { code: 'DRAINING' } });
		}));

	test('ENGINE_CLOSED and INVALID_HANDLE for an engine that is gone', async () => {
		const engine = Engine.create({});
		const { id } = engine;
		await engine.close();
		await expect(engine.load(join(fixtureModels, 'tiny/1.0.0'))).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
		expect(() => Engine.byId(id)).toThrow(expect.objectContaining({ code: 'INVALID_HANDLE' }));
	});
});

describe('bundles', () => {
	/** A repository of `tiny` after somebody has meddled with it, and `scorer` as it should be. */
	function meddled(meddle: (bundle: string) => void): string {
		const repository = temporaryFolder();
		cpSync(fixtureModels, repository, { recursive: true });
		meddle(join(repository, 'tiny/1.0.0'));
		return repository;
	}

	const cases: [CodeName, string, (bundle: string) => void][] = [
		['BUNDLE_MISSING_FILE', 'item.table', (bundle) => rmSync(join(bundle, 'item.table'))],
		['BUNDLE_CHECKSUM_MISMATCH', 'ranker.onnx', (bundle) => flipByte(join(bundle, 'ranker.onnx'))],
		['BUNDLE_INVALID', 'manifest.json', (bundle) => writeFileSync(join(bundle, 'manifest.json'), '{"format": 1')],
		[
			'BUNDLE_SIGNATURE_MISMATCH',
			'user_vector',
			(bundle) => replaceIn(join(bundle, 'manifest.json'), '["user_vector"]', '["user_vektor"]'),
		],
		['BUNDLE_GOLDEN_MISMATCH', 'user', (bundle) => replaceIn(join(bundle, 'manifest.json'), '"newest": 50', '"newest": 1')],
	];

	test.each(cases)('%s is told with what is wrong, and the other bundle serves', (code, words, meddle) =>
		withServer(
			async ({ report, port }) => {
				expect(report.loaded.map(({ name }) => name)).toEqual(['scorer']);
				expect(report.problems[0]).toMatchObject({ path: expect.stringMatching(/tiny\/1\.0\.0$/), error: { code } });
				expect(report.problems[0]?.error.message).toContain(words);
				const answer = await ask(port, frame({ operation: Operation.score, target: 'scorer', body: { rows: [[1, 2, 3, 4]] } }));
				expect(answer).toMatchObject({ number: 0 });
			},
			{ modelRepository: [meddled(meddle)] },
		),
	);

	function flipByte(path: string): void {
		const bytes = readFileSync(path);
		bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0xff;
		writeFileSync(path, bytes);
	}

	function replaceIn(path: string, from: string, to: string): void {
		const text = readFileSync(path, 'utf8');
		expect(text).toContain(from);
		writeFileSync(path, text.replace(from, to));
	}
});
