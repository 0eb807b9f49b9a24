/** Our TypeScript client of the Open Inference Protocol: before the real engine, and before servers that answer as others do. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DataOf, type Datatype, dataOf, OipClient, RankdClient, type Tensor } from '../../src/client/index.js';
import { tritonModels, withServer } from '../support/with-server.js';

function clientOf(...args: ConstructorParameters<typeof OipClient>): OipClient {
	const client = new OipClient(...args);
	onTestFinished(() => client.close());
	return client;
}

const numbers = Int32Array.from({ length: 16 }, (_, at) => at);
const pair: Tensor[] = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16], data: numbers }));

/** Elements of each datatype, any bits. */
const elements: { [D in Datatype]: fc.Arbitrary<DataOf[D]> } = {
	BOOL: fc.array(fc.boolean(), { maxLength: 20 }).map((all) => Uint8Array.from(all, Number)),
	UINT8: fc.uint8Array({ maxLength: 20 }),
	UINT16: fc.uint16Array({ maxLength: 20 }),
	UINT32: fc.uint32Array({ maxLength: 20 }),
	UINT64: fc.bigUint64Array({ maxLength: 20 }),
	INT8: fc.int8Array({ maxLength: 20 }),
	INT16: fc.int16Array({ maxLength: 20 }),
	INT32: fc.int32Array({ maxLength: 20 }),
	INT64: fc.bigInt64Array({ maxLength: 20 }),
	FP16: fc.uint16Array({ maxLength: 20 }),
	BF16: fc.uint16Array({ maxLength: 20 }),
	FP32: fc.float32Array({ maxLength: 20 }),
	FP64: fc.float64Array({ maxLength: 20 }),
	BYTES: fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(Uint8Array.of(0xff, 0x00, 0xfe))), { maxLength: 20 }),
};

describe('before the real engine', () => {
	const serve = (run: (client: OipClient, server: { base: string; rpcUrl: string }) => Promise<void>) =>
		withServer((server) => run(clientOf(server.base), server), { modelRepository: [tritonModels] });

	test('infers, with the answer in typed arrays', () =>
		serve(async (client) => {
			const answer = await client.infer('simple', { inputs: pair, id: 'a', parameters: { user_id: 2n ** 60n } }, { deadlineMs: 10_000 });
			expect(answer).toMatchObject({ id: 'a', model: 'simple', version: '1' });
			expect(dataOf(answer, 'OUTPUT0', 'INT32')).toEqual(numbers.map((number) => 2 * number));
			const named = await client.infer('simple@1', { inputs: pair, outputs: ['OUTPUT1'] });
			expect(named.outputs).toEqual([{ name: 'OUTPUT1', datatype: 'INT32', shape: [1, 16], data: new Int32Array(16) }]);
		}));

	test.each(Object.keys(elements) as Datatype[])('any tensor of %s comes back as it was sent, over HTTP and over RPC', (datatype) =>
		serve(async (client, { rpcUrl }) => {
			const rpc = new RankdClient(rpcUrl);
			onTestFinished(() => rpc.close());
			const model = `identity_${datatype.toLowerCase()}`;
			await fc.assert(
				fc.asyncProperty(elements[datatype] as fc.Arbitrary<Uint8Array>, async (data) => {
					const inputs = [{ name: 'INPUT0', datatype, shape: [1, data.length], data } as unknown as Tensor];
					for (const each of [client, rpc]) {
						const [output] = (await each.infer(model, { inputs })).outputs;
						expect(output).toEqual({ ...inputs[0], name: 'OUTPUT0' });
					}
				}),
				{ numRuns: 25 },
			);
		}),
	);

	test('tells what the server and its models are', () =>
		serve(async (client) => {
			expect([await client.isLive(), await client.isReady(), await client.modelReady('simple')]).toEqual([true, true, true]);
			expect(await client.modelReady('nobody')).toBe(false);
			expect(await client.serverMetadata()).toMatchObject({ name: 'rankd', extensions: expect.arrayContaining(['binary_tensor_data']) });
			expect(await client.modelMetadata('two_versions@3')).toMatchObject({ name: 'two_versions', versions: ['3'] });
			await client.infer('simple', { inputs: pair });
			const [statistics] = await client.statistics('simple');
			expect(statistics).toMatchObject({ name: 'simple', version: '1', inferenceCount: 1, success: { count: 1 } });
		}));

	test('fails with the code of the server', () =>
		serve(async (client) => {
			await expect(client.infer('nobody', { inputs: pair })).rejects.toMatchObject({ name: 'EngineError', code: 'UNKNOWN_MODEL' });
			await expect(client.infer('simple@9', { inputs: pair })).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
			await expect(client.modelMetadata('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
			const answer = await client.infer('simple', { inputs: pair });
			expect(() => dataOf(answer, 'OUTPUT0', 'FP32')).toThrow('expected an output "OUTPUT0" of FP32, found one of INT32');
			expect(() => dataOf(answer, 'OUTPUT', 'FP32')).toThrow('found none among OUTPUT0, OUTPUT1');
		}));
});

describe('before another server', () => {
	/** What each call is answered: a status, headers and a body, or nothing at all. */
	type Script = (call: IncomingMessage & { body: Buffer }, response: ServerResponse) => void;

	async function scripted(script: Script): Promise<string> {
		const server = createServer(async (request, response) => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk);
			script(Object.assign(request, { body: Buffer.concat(chunks) }), response);
		}).listen(0, '127.0.0.1');
		onTestFinished(() => {
			server.closeAllConnections();
			server.close();
		});
		await once(server, 'listening');
		return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
	}

	const json = (response: ServerResponse, status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));

	test('an answer in JSON alone becomes typed arrays, and integers that JSON has rounded are refused', async () => {
		const outputs = [
			{ name: 'f', datatype: 'FP32', shape: [2], data: [0.5, 1] },
			{ name: 'b', datatype: 'BOOL', shape: [2], data: [true, false] },
			{ name: 'i', datatype: 'INT64', shape: [1], data: [7] },
			{ name: 't', datatype: 'BYTES', shape: [1], data: ['x'] },
		];
		const base = await scripted(({ url }, response) => {
			const big = { name: 'i', datatype: 'INT64', shape: [1], data: [2 ** 60] };
			json(response, 200, { model_name: 'm', outputs: url?.includes('big') ? [big] : outputs });
		});
		const answer = await clientOf(`${base}/behind/a/proxy`).infer('m', { inputs: [] });
		expect(answer.outputs.map(({ data }) => data)).toEqual([Float32Array.of(0.5, 1), Uint8Array.of(1, 0), BigInt64Array.of(7n), ['x']]);
		await expect(clientOf(base).infer('big', { inputs: [] })).rejects.toMatchObject({ code: 'INVALID_BODY' });
	});

	test.each([
		[400, 'INVALID_ARGUMENT'],
		[404, 'NOT_FOUND'],
		[413, 'TOO_LARGE'],
		[501, 'UNSUPPORTED_FEATURE'],
		[500, 'INTERNAL'],
		[502, 'INTERNAL'],
	])('status %s without a code of ours is %s', async (status, code) => {
		const base = await scripted((_, response) => json(response, status, { error: 'as Triton says it' }));
		await expect(clientOf(base).modelMetadata('m')).rejects.toMatchObject({ code, message: 'as Triton says it' });
	});

	test('what a proxy answers in HTML has a status', async () => {
		const base = await scripted((_, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
		await expect(clientOf(base).serverMetadata()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('502') });
	});

	test('a call that was refused for load, or lost with its connection, is sent again; a load is not', async () => {
		const calls: string[] = [];
		const base = await scripted(({ url = '', socket }, response) => {
			calls.push(url);
			if (calls.length === 1) json(response, 503, { error: 'Exceeds maximum queue size', code: 'OVERLOADED', retry_after_ms: 1 });
			else if (calls.length === 2) socket.destroy();
			else if (url.endsWith('/load')) json(response, 503, { error: 'not now', code: 'OVERLOADED' });
			else json(response, 200, { name: 'triton', version: '2', extensions: [] });
		});
		expect(await clientOf(base).serverMetadata()).toMatchObject({ name: 'triton' });
		expect(calls).toHaveLength(3);
		await expect(clientOf(base).load('m')).rejects.toMatchObject({ code: 'OVERLOADED', message: 'not now' });
		expect(calls).toHaveLength(4);
	});

	test('of two hosts, the second is asked when the first is not there', async () => {
		const base = await scripted((_, response) => json(response, 200, { name: 'second', version: '2', extensions: [] }));
		const [gone] = [await scripted(() => {})].map((url) => url.replace('127.0.0.1', '127.0.0.2'));
		expect(await clientOf([gone as string, base]).serverMetadata()).toMatchObject({ name: 'second' });
	});

	test('a deadline is told to the server and kept here; an abort and a closed client end calls', async () => {
		const deadlines: unknown[] = [];
		const base = await scripted(({ headers }) => deadlines.push(headers['x-deadline-ms']));
		const client = clientOf(base);
		await expect(client.infer('m', { inputs: [] }, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
		expect(Number(deadlines[0])).toBeGreaterThan(0);
		expect(Number(deadlines[0])).toBeLessThanOrEqual(50);
		const abort = new AbortController();
		const aborted = client.serverMetadata({ signal: abort.signal });
		abort.abort();
		await expect(aborted).rejects.toMatchObject({ code: 'CANCELLED' });
		const open = client.statistics();
		client.close();
		await expect(open).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: 'the client has been closed' });
		await expect(client.statistics()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
	});

	test('loads and unloads as the protocol writes it', async () => {
		const calls: { url: string | undefined; body: string }[] = [];
		const base = await scripted(({ url, body }, response) => {
			calls.push({ url, body: body.toString() });
			response.writeHead(200).end();
		});
		const client = clientOf(base);
		await client.load('a/b', { config: { max_batch_size: 4 }, files: { '1/model.onnx': Uint8Array.of(1, 2) } });
		await client.unload('a/b', { unloadDependents: true });
		expect(calls).toEqual([
			{
				url: '/v2/repository/models/a%2Fb/load',
				body: '{"parameters":{"config":"{\\"max_batch_size\\":4}","file:1/model.onnx":"AQI="}}',
			},
			{ url: '/v2/repository/models/a%2Fb/unload', body: '{"parameters":{"unload_dependents":true}}' },
		]);
	});

	test.each(['ws://a', 'a:8000', 'http://a?b'])('%s is no url of a server', (url) => {
		expect(() => new OipClient(url)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
	});
});
