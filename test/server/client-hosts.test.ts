/** The typed client before several hosts: what one cannot do, another does. */
import { describe, expect, test, vi } from 'vitest';
import { freePort } from '../../bench/harness/free-port.js';
import { newClient } from '../support/new-client.js';
import { type ScriptedRequest, scriptedServer } from '../support/scripted-server.js';
import { withFakeServer } from '../support/with-fake-server.js';

const body = { request_id: 1, model: 'tiny', version: '1.0.0', degraded: [], items: [], timing: { queue: 1, compute: 2, total: 3 } };
const until = (condition: () => boolean | Promise<boolean>) => vi.waitUntil(condition, { timeout: 10_000 });
const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const settled = (calls: Promise<unknown>[]) => Promise.all(calls.map((call) => call.then(() => 'answered').catch(({ code }) => code)));

test('requests are spread over hosts and over the connections to each', async () => {
	const hosts = await Promise.all(times(3, () => scriptedServer()));
	const client = newClient(hosts.map(({ url }) => url));
	await until(async () => {
		await Promise.all(times(20, () => client.recommend('tiny')));
		return client.stats().connections.every(({ state }) => state === 'ready');
	});
	await Promise.all(times(300, () => client.recommend('tiny')));
	for (const { requests } of hosts) {
		expect(requests.length).toBeGreaterThan(50);
		expect(new Set(requests.map(({ connection }) => connection)).size).toBe(2);
	}
});

test('of two hosts the slower one gets fewer requests', async () => {
	const held: ScriptedRequest[] = [];
	const slow = await scriptedServer((request) => held.push(request));
	const quick = await scriptedServer();
	const client = newClient([slow.url, quick.url], { connections: 1 });
	const calls = times(2, () => client.recommend('tiny'));
	await until(() => client.stats().connections.every(({ state }) => state === 'ready'));
	for (let at = 0; at < 100; at++) calls.push(client.recommend('tiny'));
	await until(() => slow.requests.length + quick.requests.length === 102);
	const before = slow.requests.length;
	// What is in flight on the slow one stays there: everything else goes to the other.
	await until(() => client.stats().connections[1]?.requestsInFlight === 0);
	for (let at = 0; at < 20; at++) await client.recommend('tiny');
	expect(slow.requests.length).toBe(before);
	for (const request of held) request.answer();
	await Promise.all(calls);
});

describe('a host that dies', () => {
	test('in the middle of requests: no call fails, and the others go to the living one', async () => {
		const dying = await scriptedServer(() => {});
		const living = await scriptedServer();
		const client = newClient([dying.url, living.url], { retry: { budget: 1 } });
		const calls = times(100, () => client.recommend('tiny'));
		await until(() => dying.requests.length + living.requests.length === 100);
		await until(() => client.stats().connections.every(({ state }) => state === 'ready'));
		calls.push(...times(100, () => client.recommend('tiny')));
		await until(() => dying.requests.length > 0);
		await dying.die();
		expect(new Set(await settled(calls))).toEqual(new Set(['answered']));
		expect(client.stats().retries).toBeGreaterThanOrEqual(dying.requests.length);
		expect(new Set(await settled(times(50, () => client.recommend('tiny'))))).toEqual(new Set(['answered']));
	});

	test('gets requests again when it is back', async () => {
		const living = await scriptedServer();
		const port = await freePort();
		const client = newClient([`ws://127.0.0.1:${port}/rpc`, living.url], { connections: 1 });
		for (let at = 0; at < 20; at++) await client.recommend('tiny');
		expect(living.requests).toHaveLength(20);
		const back = await scriptedServer(undefined, { port });
		await until(async () => {
			await client.recommend('tiny');
			return back.requests.length > 0;
		});
	});

	test('that was never there costs nothing but its attempts to connect', async () => {
		const living = await scriptedServer();
		const client = newClient([`ws://127.0.0.1:${await freePort()}/rpc`, living.url]);
		expect(new Set(await settled(times(50, () => client.recommend('tiny'))))).toEqual(new Set(['answered']));
		expect(client.stats()).toMatchObject({ requests: 50, retries: 0 });
	});

	test('without closing its connections: it is found out by its silence, and its requests fail over', async () => {
		const silent = await scriptedServer(() => {}, { autoPong: false });
		const client = newClient(silent.url, { connections: 1, connectTimeoutMs: 300, retry: { attempts: 1 } });
		const lost = client.recommend('tiny');
		lost.catch(() => {});
		await until(() => silent.requests.length === 1);
		await expect(client.recommend('tiny', {}, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
		expect(client.stats().connections[0]?.state).toBe('silent');
		await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
	});

	test('a host that only computes for long answers its ping, and keeps its requests', async () => {
		const held: ScriptedRequest[] = [];
		const slow = await scriptedServer((request) => held.push(request));
		const client = newClient(slow.url, { connections: 1, connectTimeoutMs: 1000 });
		const patient = client.recommend('tiny');
		await expect(client.recommend('tiny', {}, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
		await until(() => client.stats().connections[0]?.state === 'ready');
		for (const request of held) request.answer();
		await patient;
	});
});

describe('all hosts are down', () => {
	test('a call fails with what went wrong last', async () => {
		const urls = [`ws://127.0.0.1:${await freePort()}/rpc`, `ws://127.0.0.1:${await freePort()}/rpc`];
		await expect(newClient(urls).recommend('tiny')).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: /^cannot connect to/ });
	});

	test('a call whose deadline comes before the next attempt to connect fails at once', async () => {
		const client = newClient(`ws://127.0.0.1:${await freePort()}/rpc`, { connections: 1, retry: { attempts: 1 } });
		// Each failure doubles the wait, so that one comes that is too long.
		const codes: string[] = [];
		await until(async () => {
			const [code] = (await settled([client.recommend('tiny', {}, { deadlineMs: 10_000 })])) as [string];
			codes.push(code);
			const error = await client.recommend('tiny', {}, { deadlineMs: 1 }).catch((thrown) => thrown);
			return error.code === 'CONNECTION_LOST';
		});
		expect(new Set(codes)).toEqual(new Set(['CONNECTION_LOST']));
	});

	test('calls without a deadline are served when one comes back', async () => {
		const port = await freePort();
		const client = newClient(`ws://127.0.0.1:${port}/rpc`, { connections: 1, retry: { attempts: 20 } });
		const call = client.recommend('tiny');
		await until(() => client.stats().retries > 0);
		await scriptedServer(undefined, { port });
		expect(await call).toMatchObject({ model: 'tiny' });
	});
});

describe('a host that goes away in order', () => {
	test('while it drains, calls are answered by the other one, and none fails', () =>
		withFakeServer(async (leaving) => {
			const staying = await scriptedServer();
			leaving.engine.answer = () =>
				leaving.engine.isDraining ? { code: 'DRAINING', body: { error: 'going', code: 'DRAINING' } } : { body };
			// Half of the calls go over: this is no test of the budget.
			const client = newClient([leaving.rpcUrl, staying.url], { retry: { budget: 1 } });
			await until(async () => {
				await Promise.all(times(10, () => client.recommend('tiny')));
				return leaving.engine.requests.length > 0;
			});
			const calls = times(50, () => client.recommend('tiny'));
			const drained = leaving.app.drain(5000);
			calls.push(...times(50, () => client.recommend('tiny')));
			expect(new Set(await settled(calls))).toEqual(new Set(['answered']));
			await drained;
			const before = leaving.engine.requests.length;
			expect(new Set(await settled(times(50, () => client.recommend('tiny'))))).toEqual(new Set(['answered']));
			expect(leaving.engine.requests.length).toBe(before);
		}));

	test('a connection that drains gets no new request, and still brings the answers it owes', async () => {
		const held: ScriptedRequest[] = [];
		const server = await scriptedServer((request) => {
			if (request.connection > 0) request.answer();
			else if (server.requests.length === 1) held.push(request);
			else request.refuse('DRAINING');
		});
		const client = newClient(server.url, { connections: 1 });
		const owed = client.recommend('tiny');
		await until(() => held.length === 1);
		await client.recommend('tiny');
		await client.recommend('tiny');
		expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0, 1, 1]);
		for (const request of held) request.answer();
		await owed;
		const [first] = held as [ScriptedRequest];
		await until(() => first.socket.readyState === first.socket.CLOSED);
	});
});

describe('a host with too much to do', () => {
	test('what it refuses is asked elsewhere', async () => {
		const overloaded = await scriptedServer((request) => request.refuse('OVERLOADED', { retryAfterMs: 1 }));
		const free = await scriptedServer();
		const client = newClient([overloaded.url, free.url], { retry: { budget: 1 } });
		expect(new Set(await settled(times(100, () => client.recommend('tiny'))))).toEqual(new Set(['answered']));
		expect(free.requests).toHaveLength(100);
		expect(client.stats().retries).toBe(overloaded.requests.length);
	});

	test('when all refuse, retries end with the budget', async () => {
		const overloaded = await scriptedServer((request) => request.refuse('OVERLOADED'));
		const client = newClient(overloaded.url, { retry: { budget: 0.1 } });
		expect(new Set(await settled(times(500, () => client.recommend('tiny'))))).toEqual(new Set(['OVERLOADED']));
		expect(client.stats().retries).toBeLessThanOrEqual(500 * 0.1 + 30 + 10);
		expect(overloaded.requests.length).toBe(500 + client.stats().retries);
	});

	test('retries that are switched off are not made', async () => {
		const overloaded = await scriptedServer((request) => request.refuse('OVERLOADED', { retryAfterMs: 7 }));
		const client = newClient(overloaded.url, { retry: { attempts: 1 } });
		await expect(client.recommend('tiny')).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterMs: 7 });
		expect(overloaded.requests).toHaveLength(1);
	});
});

test('a hedged call is answered by the other host while the first one is slow', async () => {
	const slow = await scriptedServer(() => {});
	const quick = await scriptedServer();
	const client = newClient([slow.url, quick.url], { connections: 1, hedge: { afterMs: 5 } });
	client.recommend('tiny').catch(() => {});
	await until(() => client.stats().connections.every(({ state }) => state === 'ready'));
	await until(async () => {
		await client.recommend('tiny');
		return client.stats().hedges > 0;
	});
	expect(client.stats().retries).toBe(0);
	expect(slow.requests.length).toBeGreaterThan(0);
});
