/** Anything at all sent to every endpoint under /v2 of a real server: it answers, says what is wrong in JSON, keeps nothing, and serves on. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { inferExample } from '../../src/server/oip/examples.js';
import { oipRoutes } from '../../src/server/oip/routes/index.js';
import { type HttpAnswer, http, post } from '../support/http-request.js';
import { type Server, tritonModels, withServer } from '../support/with-server.js';

const flags = { modelRepository: [tritonModels], modelControl: 'explicit', loadModel: ['simple', 'simple_string', 'variable'] };

interface Call {
	method: string;
	path: string;
	headers: Record<string, string>;
	body: Uint8Array;
}

const segment = fc.oneof(
	{ weight: 5, arbitrary: fc.constantFrom('simple', 'simple_string', 'variable', '1', 'stats', 'cached') },
	fc.string({ maxLength: 20 }).map(encodeURIComponent),
	fc.constantFrom('%', '%ff', '%00', '..', '@', 'simple@', '@1', 'a%2Fb', '9'.repeat(400)),
);

const path = fc
	.tuple(
		fc.constantFrom('', '', '/base', '/%'),
		fc.constantFrom(...oipRoutes.map((route) => route.path)),
		fc.array(segment, { minLength: 2 }),
	)
	.map(([base, pattern, segments]) => base + pattern.replace(/\{\w+\}/g, () => segments.shift() ?? 'simple'));

const example = Buffer.from(JSON.stringify(inferExample));
const binary = Buffer.concat([
	Buffer.from('{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","parameters":{"binary_data_size":64}},'),
	Buffer.from('{"name":"INPUT1","shape":[1,16],"datatype":"INT32","parameters":{"binary_data_size":64}}]}'),
	Buffer.alloc(128, 1),
]);
const JSON_BYTES = binary.byteLength - 128;

/** A body that was right, with some of its bytes changed and its end cut off. */
const damaged = fc
	.tuple(fc.constantFrom(example, binary), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }), fc.nat(300))
	.map(([right, changes, cut]) => {
		const body = Buffer.from(right);
		for (const [at, byte] of changes) body[at % body.byteLength] = byte;
		return body.subarray(0, cut > 150 ? body.byteLength : body.byteLength - cut);
	});

const words = [
	'inputs',
	'outputs',
	'parameters',
	'name',
	'shape',
	'datatype',
	'data',
	'id',
	'ready',
	'config',
	'timeout',
	'binary_data_size',
];
const json = fc
	.object({ key: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, fc.string()), maxDepth: 4 })
	.map((value) => Buffer.from(JSON.stringify(value)));

const body = fc.oneof(damaged, json, fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array()));

const length = fc.oneof(
	fc.constant(String(JSON_BYTES)),
	fc.integer({ min: -10, max: 600 }).map(String),
	fc.stringMatching(/^[\w+.-]{1,30}$/),
);
const encoding = fc.constantFrom('gzip', 'deflate', 'identity', 'br', 'gzip, deflate');

const call: fc.Arbitrary<Call> = fc
	.record({
		method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'HEAD', 'PUT', 'DELETE'),
		path,
		body,
		packed: fc.option(fc.constantFrom(gzipSync, deflateSync), { freq: 4 }),
		headers: fc.record(
			{
				'inference-header-content-length': length,
				'content-encoding': encoding,
				'accept-encoding': encoding,
				'x-request-id': fc.stringMatching(/^[\x20-\x7e]{1,140}$/),
				'x-deadline-ms': fc.stringMatching(/^\d{1,8}$/),
			},
			{ requiredKeys: [] },
		),
	})
	.map(({ method, path, body, packed, headers }) => ({
		method,
		path,
		body: packed ? packed(body) : body,
		headers: headers as Call['headers'],
	}));

/** What a caller can always count on. */
function expectAnAnswer({ status, headers, json, body }: HttpAnswer, method: string): void {
	expect(status).toBeGreaterThanOrEqual(200);
	if (status === 200 || method === 'HEAD') return;
	expect(headers['content-type'], body.toString()).toBe('application/json');
	expect(json()).toMatchObject({ error: expect.stringMatching(/./), code: expect.stringMatching(/^[A-Z_]+$/) });
	expect(json()['code'], body.toString()).not.toBe('INTERNAL');
}

async function expectItServes({ engine, base }: Server): Promise<void> {
	// Somebody may have asked for its unload.
	await post(`${base}/v2/repository/models/simple/load`, '');
	const answer = await post(`${base}/v2/models/simple/infer`, JSON.stringify(inferExample));
	expect(answer.json()['outputs']).toMatchObject([{ data: inferExample.inputs[0]?.data.map((value) => value + 1) }]);
	await vi.waitUntil(() => engine.stats().openRequests === 0);
}

test('any call gets an answer, an error with its reason in JSON', () =>
	withServer(async (server) => {
		await fc.assert(
			fc.asyncProperty(call, async ({ method, path, headers, body }) => {
				// Node frames no body of other methods.
				const sent = method === 'POST' || method === 'PUT' ? { body } : {};
				expectAnAnswer(await http(server.base + path, { method, headers, ...sent }), method);
			}),
			{ numRuns: 1500 },
		);
		await expectItServes(server);
	}, flags));

test('callers who go at any time leave nothing behind', () =>
	withServer(async (server) => {
		const cut = fc.record({ path, body, sent: fc.nat(400), isChunked: fc.boolean() });
		await fc.assert(
			fc.asyncProperty(cut, async ({ path, body, sent, isChunked }) => {
				const head = isChunked
					? `Transfer-Encoding: chunked\r\n\r\n${body.byteLength.toString(16)}\r\n`
					: `Content-Length: ${body.byteLength}\r\n\r\n`;
				const bytes = Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${head}`), body]).subarray(0, sent);
				await sendAndGo(server.port, bytes);
			}),
			{ numRuns: 300 },
		);
		await expectItServes(server);
	}, flags));

test('bytes that are no HTTP harm nobody', () =>
	withServer(async (server) => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), (bytes) => sendAndGo(server.port, bytes)),
			{ numRuns: 300 },
		);
		await expectItServes(server);
	}, flags));

async function sendAndGo(port: number, bytes: Uint8Array): Promise<void> {
	const socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	await once(socket, 'connect');
	await new Promise((resolve) => socket.write(bytes, resolve));
	socket.destroy();
}
