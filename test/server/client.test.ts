/** The typed client against a fake engine: pipelining, deadlines, lost connections. */
import { pack, unpack } from 'msgpackr';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { freePort } from '../../bench/harness/free-port.js';
import { RankdClient } from '../../src/client/index.js';
import type { FakeRequest } from '../support/fake-engine.js';
import { newClient } from '../support/new-client.js';
import { type FakeServer, withFakeServer } from '../support/with-fake-server.js';

const timing = { queue: 1, compute: 2, total: 3 };
const frameOf = ({ bytes }: FakeRequest) =>
	unpack(bytes) as [number, number, number, string, number | null, number | null, number | null, object];

/** Answers with the request's own id and k, so that answers can be told apart. */
function echo({ engine }: FakeServer): void {
	engine.answer = (request) => {
		const [, , id, , , , , body] = frameOf(request);
		const items = [{ id: (body as { k: number }).k, score: 1 }];
		return { body: { request_id: id, model: 'tiny', version: '1.0.0', degraded: [], items, timing } };
	};
}

test('many requests in flight, each gets its own answer', () =>
	withFakeServer(async (server) => {
		echo(server);
		const client = newClient(server.rpcUrl);
		const answers = await Promise.all(Array.from({ length: 200 }, (_, k) => client.recommend('tiny', { k: k + 1 })));
		expect(answers.map(({ items }) => items[0]?.id)).toEqual(Array.from({ length: 200 }, (_, k) => k + 1));
	}));

test('requests are spread over the connections', () =>
	withFakeServer(async (server) => {
		echo(server);
		const client = newClient(server.rpcUrl, { connections: 3 });
		await Promise.all(Array.from({ length: 12 }, () => client.recommend('tiny', { k: 1 })));
		await vi.waitUntil(async () => (await (await fetch(`${server.base}/metrics`)).text()).includes('rankd_rpc_connections 3'));
		expect(client.stats().connections.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
	}));

test('nothing is connected before the first request', () =>
	withFakeServer(async ({ base, rpcUrl }) => {
		newClient(rpcUrl);
		expect(await (await fetch(`${base}/metrics`)).text()).toContain('rankd_rpc_connections 0');
	}));

test('each method asks its own operation', () =>
	withFakeServer(async ({ engine, rpcUrl }) => {
		const scores = Buffer.from(Float32Array.of(0.5).buffer);
		engine.answer = () => ({ body: { request_id: 1, model: 'tiny', version: '1.0.0', degraded: [], items: [], scores, timing } });
		const client = newClient(rpcUrl, { deadlineMs: 5000 });
		await client.recommend('tiny@champion', { history: ['a'] }, { deadlineMs: 900, priority: 2 });
		await client.rank('tiny', { candidates: ['a', 'b'] });
		expect((await client.rank('tiny', { candidates: ['a'], order: 'input' })).scores).toEqual(Float32Array.of(0.5));
		await client.similar('tiny', { item: 'a', k: 2 });
		await client.score('scorer', { rows: [{ amount: 1 }] });
		expect(engine.requests.map(frameOf).map(([version, operation, , target, , ...rest]) => [version, operation, target, ...rest])).toEqual([
			[1, 1, 'tiny@champion', 2, null, { history: ['a'] }],
			[1, 2, 'tiny', null, 2, { candidates: ['a', 'b'] }],
			[1, 2, 'tiny', null, 1, { candidates: ['a'], order: 'input' }],
			[1, 3, 'tiny', null, null, { item: 'a', k: 2 }],
			[1, 4, 'scorer', null, 1, { rows: [{ amount: 1 }] }],
		]);
	}));

test('the deadline sent along is the time that is left when the request leaves, and none when there is none', () =>
	withFakeServer(async (server) => {
		echo(server);
		const client = newClient(server.rpcUrl, { deadlineMs: 60_000 });
		await client.recommend('tiny', { k: 1 });
		await client.recommend('tiny', { k: 1 }, { deadlineMs: 30_000 });
		await client.recommend('tiny', { k: 1 }, { deadlineMs: 0 });
		const [first, second, third] = server.engine.requests.map((request) => frameOf(request)[4]);
		expect(first).toBeGreaterThan(30_000);
		expect(first).toBeLessThanOrEqual(60_000);
		expect(second).toBeLessThanOrEqual(30_000);
		expect(third).toBeNull();
	}));

test("arrays are the caller's again as soon as the call returns", () =>
	withFakeServer(async ({ engine, rpcUrl }) => {
		engine.answer = () => ({ body: { request_id: 1, model: 'scorer', version: '1.0.0', degraded: [], scores: Buffer.alloc(4), timing } });
		const rows = Float32Array.of(1, 2);
		const call = newClient(rpcUrl).score('scorer', { rows });
		rows.fill(9);
		await call;
		const [, , , , , , , body] = frameOf(engine.requests[0] as FakeRequest);
		expect((body as { rows: Buffer }).rows).toEqual(Buffer.from(Float32Array.of(1, 2).buffer));
	}));

test("the server's errors are thrown as its codes", () =>
	withFakeServer(async ({ engine, rpcUrl }) => {
		engine.answer = () => ({
			code: 'OVERLOADED',
			retryAfterMs: 40,
			body: { error: 'later', code: 'OVERLOADED', request_id: 1, retry_after_ms: 40 },
		});
		const call = newClient(rpcUrl).recommend('tiny');
		await expect(call).rejects.toMatchObject({
			name: 'EngineError',
			code: 'OVERLOADED',
			retryable: true,
			retryAfterMs: 40,
			message: 'later',
		});
	}));

describe('giving up', () => {
	test('an answer that does not come within the deadline is DEADLINE_EXCEEDED, and a late one is dropped', () =>
		withFakeServer(async (server) => {
			echo(server);
			server.engine.isHeld = true;
			const client = newClient(server.rpcUrl, { connections: 1 });
			const call = client.recommend('tiny', { k: 1 }, { deadlineMs: 30 });
			await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: true });
			server.engine.release();
			expect((await client.recommend('tiny', { k: 2 })).items[0]?.id).toBe(2);
		}));

	test('the caller may abort, before and after sending', () =>
		withFakeServer(async ({ engine, rpcUrl }) => {
			engine.isHeld = true;
			const client = newClient(rpcUrl);
			await expect(client.recommend('tiny', {}, { signal: AbortSignal.abort('enough') })).rejects.toMatchObject({
				code: 'CANCELLED',
				cause: 'enough',
			});
			const abort = new AbortController();
			const call = client.recommend('tiny', {}, { signal: abort.signal });
			await vi.waitUntil(() => engine.requests.length === 1);
			abort.abort();
			await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
		}));

	test('close fails what is in flight, and everything later', () =>
		withFakeServer(async ({ engine, rpcUrl }) => {
			engine.isHeld = true;
			const client = newClient(rpcUrl);
			const call = client.recommend('tiny');
			call.catch(() => {});
			await vi.waitUntil(() => engine.requests.length === 1);
			await client.close();
			await client.close();
			await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
			await expect(client.recommend('tiny')).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: 'the client has been closed' });
		}));
});

describe('lost connections', () => {
	test('requests in flight fail as CONNECTION_LOST, and the next one connects again', async () => {
		const httpPort = await freePort();
		const client = newClient(`ws://127.0.0.1:${httpPort}/rpc`, { connections: 1 });
		await withFakeServer(
			async ({ app, engine }) => {
				engine.isHeld = true;
				const call = client.recommend('tiny', { k: 1 });
				call.catch(() => {});
				await vi.waitUntil(() => engine.requests.length === 1);
				app.close();
				await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
			},
			{ httpPort },
		);
		await withFakeServer(
			async (server) => {
				echo(server);
				expect((await client.recommend('tiny', { k: 9 })).items[0]?.id).toBe(9);
			},
			{ httpPort },
		);
	});

	test('a server that is not there is told with its address', async () => {
		const port = await freePort();
		const call = newClient(`ws://127.0.0.1:${port}/rpc`).recommend('tiny');
		await expect(call).rejects.toMatchObject({
			code: 'CONNECTION_LOST',
			message: expect.stringMatching(`^cannot connect to ws://127.0.0.1:${port}/rpc: .*ECONNREFUSED`),
		});
	});

	test('closing does not wait for an attempt that is still to come', async () => {
		const client = newClient(`ws://127.0.0.1:${await freePort()}/rpc`, { connections: 1, retry: { attempts: 1 } });
		for (let attempt = 0; attempt < 3; attempt++) await expect(client.recommend('tiny')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
		const call = client.recommend('tiny');
		call.catch(() => {});
		await client.close();
		await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
	});

	test('a path that is no RPC is told', () =>
		withFakeServer(async ({ port }) => {
			await expect(newClient(`ws://127.0.0.1:${port}/nope`).recommend('tiny')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
		}));

	test('a server that speaks something else ends the connection, not the process', async () => {
		const server = new WebSocketServer({ port: 0 });
		onTestFinished(() => {
			server.close();
		});
		server.on('connection', (socket) => socket.on('message', () => socket.send('hello')));
		const { port } = server.address() as { port: number };
		await expect(newClient(`ws://127.0.0.1:${port}`).recommend('tiny')).rejects.toMatchObject({ code: 'INTERNAL' });
	});

	test('requests sent while the connection closes go to the next one, those before are lost', async () => {
		const server = new WebSocketServer({ port: 0 });
		onTestFinished(() => {
			server.close();
		});
		const answer = { request_id: 2, model: 'tiny', version: '1.0.0', degraded: [], items: [], timing };
		let connections = 0;
		server.on('connection', (socket) => {
			const isFirst = connections++ === 0;
			socket.on('message', () => (isFirst ? socket.close(1012, 'restart') : socket.send(pack([1, 2, 0, 0, true, answer]))));
		});
		const { port } = server.address() as { port: number };
		const client = newClient(`ws://127.0.0.1:${port}`, { connections: 1, retry: { attempts: 1 } });
		const first = client.recommend('tiny');
		const lost = await first.catch((error) => error);
		const second = client.recommend('tiny');
		expect(lost).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('1012 (restart)') });
		expect(await second).toMatchObject({ requestId: 2 });
		expect(connections).toBe(2);
	});

	test('an error without an id ends everything in flight on its connection', () =>
		withFakeServer(async ({ engine, rpcUrl }) => {
			engine.isHeld = true;
			const client = newClient(rpcUrl, { connections: 1 });
			const first = client.recommend('tiny');
			first.catch(() => {});
			await vi.waitUntil(() => engine.requests.length === 1);
			engine.refusals = [27];
			const second = client.recommend('tiny');
			await expect(second).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
			await expect(first).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
		}));
});

test.each([
	['http://127.0.0.1:8000', {}],
	['127.0.0.1:8000', {}],
	['ws://127.0.0.1:8000/rpc', { connections: 0 }],
	['ws://127.0.0.1:8000/rpc', { deadlineMs: -1 }],
	['ws://127.0.0.1:8000/rpc#top', {}],
	['ws://[nowhere', {}],
	['wss+unix:/run/rankd.sock:/rpc', {}],
	[[], {}],
	[['ws://127.0.0.1:8000/rpc', 'http://127.0.0.1:8001'], {}],
	['ws://127.0.0.1:8000/rpc', { connectTimeoutMs: 0 }],
	['ws://127.0.0.1:8000/rpc', { retry: { attempts: 0 } }],
	['ws://127.0.0.1:8000/rpc', { retry: { budget: 1.5 } }],
	['ws://127.0.0.1:8000/rpc', { hedge: { afterMs: Number.NaN } }],
])('what makes no client is refused at once: %s %j', (url, options) => {
	expect(() => new RankdClient(url, options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test.each([Number.NaN, 1.5, -1])('a deadline of %s is refused', async (deadlineMs) => {
	const client = newClient('ws://127.0.0.1:1/rpc');
	await expect(client.recommend('tiny', {}, { deadlineMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
