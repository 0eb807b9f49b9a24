/** Feedback end to end: what callers tell, over every transport, is what the event log holds. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack, unpack } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { RankdClient } from '../../src/client/index.js';
import { type CodeName, catalogue } from '../../src/errors.js';
import { Operation } from '../../src/native/addon.js';
import { http, post } from '../support/http-request.js';
import { newClient } from '../support/new-client.js';
import { ask, frame } from '../support/rpc-peer.js';
import { serve } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Server, withServer } from '../support/with-server.js';

type Line = Record<string, unknown>;

function logged(folder: string): Line[] {
	const segments = readdirSync(folder).filter((name) => /^events-\d{13}-\d+\.jsonl$/.test(name));
	const lines = segments.sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
	return lines.map((line) => JSON.parse(line) as Line);
}

/** A server with an event log; `always` so that a test may look as soon as it is answered. */
const withLog = (run: (server: Server, folder: string) => Promise<void>, flags: Record<string, unknown> = {}) => {
	const folder = join(temporaryFolder(), 'made', 'by the server');
	return withServer((server) => run(server, folder), { eventLog: folder, eventLogFsync: 'always', ...flags });
};

const event = { request_id: 'r-0', user: 'user-1', item: 'item-03', event: 'click', value: 0.1 };
const line = { time: expect.any(Number), model: 'tiny', version: '1.0.0' };

describe('what is told is logged', () => {
	test('over RPC', () =>
		withLog(async ({ port }, folder) => {
			const { number, body } = await ask(port, frame({ id: 'r-1', operation: Operation.feedback, target: 'tiny@champion', body: event }));
			expect(number).toBe(0);
			expect(body).toMatchObject({ request_id: 'r-1', model: 'tiny', version: '1.0.0', degraded: [], accepted: 1 });
			expect(logged(folder)).toEqual([{ ...line, ...event }]);
		}));

	test('over HTTP, in JSON and in msgpack', () =>
		withLog(async ({ base }, folder) => {
			const before = Date.now();
			const json = await post(`${base}/v1/feedback/tiny`, JSON.stringify(event), { 'x-request-id': 'h-1' });
			expect(json.status).toBe(200);
			expect(json.json()).toMatchObject({ request_id: 'h-1', accepted: 1 });
			const events = [event, { item: 'item-04', event: 'view' }];
			const packed = await post(`${base}/v1/feedback/tiny`, pack({ events }), { 'content-type': 'application/msgpack' });
			expect(unpack(packed.body)).toMatchObject({ accepted: 2 });
			const lines = logged(folder);
			expect(lines).toEqual([
				{ ...line, ...event },
				{ ...line, ...event },
				{ ...line, item: 'item-04', event: 'view' },
			]);
			for (const { time } of lines) expect(time).toBeGreaterThanOrEqual(before);
		}));

	test('over a Unix socket, by the client, with ids and texts of every kind', async () => {
		const folder = join(temporaryFolder(), 'events');
		const socket = join(temporaryFolder(), 'rankd.sock');
		const told = { item: 'ü "\\\n', event: 'buy', user: 2n ** 60n, value: 1e300, requestId: 2 ** 40 };
		await serve(['--event-log', folder, '--event-log-fsync', 'always', '--unix-socket', socket, '--io-threads', '1']);
		const client = newClient(`ws+unix:${socket}:/rpc`);
		expect(await client.feedback('tiny', told)).toMatchObject({ model: 'tiny', accepted: 1, degraded: ['unknown_items'] });
		expect(await client.feedback('scorer', [told, told])).toMatchObject({ model: 'scorer', accepted: 2, degraded: [] });
		const lines = logged(folder);
		expect(lines).toHaveLength(3);
		expect(lines[0]).toMatchObject({ item: told.item, event: 'buy', value: 1e300, request_id: '1099511627776' });
		const [name] = readdirSync(folder);
		expect(readFileSync(join(folder, name as string), 'utf8')).toContain('"user":1152921504606846976,');
	});

	test('a thousand events at once, in the order they came', () =>
		withLog(async ({ rpcUrl }, folder) => {
			const events = Array.from({ length: 1000 }, (_, value) => ({ item: 'item-00', event: 'view', value }));
			expect((await newClient(rpcUrl).feedback('tiny', events)).accepted).toBe(1000);
			expect(logged(folder).map(({ value }) => value)).toEqual(events.map(({ value }) => value));
		}));
});

describe('what is wrong is told, and nothing of it is logged', () => {
	test.each<[CodeName, body: unknown, words: string, target: string]>([
		['INVALID_BODY', [], 'map', 'tiny'],
		['INVALID_ARGUMENT', { item: 'item-00' }, 'feedback needs "event"', 'tiny'],
		['INVALID_ARGUMENT', { ...event, event: 'A click' }, 'got "A click" (text)', 'tiny'],
		['INVALID_ARGUMENT', { events: [event, { ...event, valu: 1 }] }, 'events[1] has an unknown field "valu"', 'tiny'],
		['LIMIT_EXCEEDED', { events: Array(1001).fill(event) }, 'at most 1000', 'tiny'],
		['NOT_FINITE', { ...event, value: Number.POSITIVE_INFINITY }, 'finite', 'tiny'],
		['UNKNOWN_MODEL', event, 'films', 'films'],
	])('%s', (code, body, words, target) =>
		withLog(async ({ port, base }, folder) => {
			const rpc = await ask(port, frame({ operation: Operation.feedback, target, body }));
			expect(rpc).toMatchObject({ number: catalogue[code].number, body: { code, error: expect.stringContaining(words) } });
			const packed = await post(`${base}/v1/feedback/${target}`, pack(body), { 'content-type': 'application/msgpack' });
			expect(packed.status).toBe(catalogue[code].status);
			expect(logged(folder)).toEqual([]);
		}),
	);

	test('UNSUPPORTED_OPERATION without a log, with the flag to set', () =>
		withServer(async ({ base, engine }) => {
			const answer = await post(`${base}/v1/feedback/tiny`, JSON.stringify(event));
			expect(answer.status).toBe(400);
			expect(answer.json()).toMatchObject({ code: 'UNSUPPORTED_OPERATION', error: expect.stringContaining('--event-log <folder>') });
			expect(engine.models().flatMap(({ operations }) => operations)).not.toContain('feedback');
		}));

	test('METHOD_NOT_ALLOWED for anything but POST', () =>
		withLog(async ({ base }) => {
			expect((await http(`${base}/v1/feedback/tiny`)).status).toBe(405);
		}));

	test('EVENT_LOG_FAILED while the folder cannot be written to; everything else serves', () => {
		const file = join(temporaryFolder(), 'file');
		writeFileSync(file, 'where the folder was to be');
		return withServer(
			async ({ base, rpcUrl, engine }) => {
				const answer = await post(`${base}/v1/feedback/tiny`, JSON.stringify(event));
				expect(answer.status).toBe(503);
				expect(answer.headers).toMatchObject({ 'retry-after': '1' });
				expect(answer.json()).toMatchObject({ code: 'EVENT_LOG_FAILED', error: expect.stringContaining(file), retry_after_ms: 1000 });
				expect((await newClient(rpcUrl).recommend('tiny')).items.length).toBeGreaterThan(0);
				expect(engine.eventLog()).toMatchObject({ accepted: 0, refusedFailed: 1, fault: expect.stringContaining('Not a directory') });
				rmSync(file);
				await vi.waitUntil(() => engine.eventLog()?.fault === '', { timeout: 10_000 });
				expect((await post(`${base}/v1/feedback/tiny`, JSON.stringify(event))).status).toBe(200);
				expect(logged(file)).toHaveLength(1);
			},
			{ eventLog: file, eventLogFsync: 'always' },
		);
	});
});

test('metrics tell what became of events', () =>
	withLog(async ({ base }) => {
		const before = (await http(`${base}/metrics`)).body.toString();
		expect(before).toContain('rankd_feedback_events_total 0\n');
		await post(`${base}/v1/feedback/tiny`, JSON.stringify({ events: [event, event] }));
		const { body } = await http(`${base}/metrics`);
		const page = body.toString();
		expect(page).toContain('rankd_feedback_events_total 2\n');
		expect(page).toContain('rankd_feedback_refused_events_total{reason="queue_full"} 0\n');
		expect(page).toMatch(/rankd_event_log_bytes_total [1-9]\d+\n/);
		expect(page).toContain('rankd_event_log_failing 0\n');
		expect(page).toContain('rankd_request_duration_seconds_count{model="tiny",version="1.0.0",operation="feedback"} 1\n');
	}));

test('a server that stops writes down everything that it has accepted', async () => {
	const folder = join(temporaryFolder(), 'events');
	const run = await serve(['--event-log', folder]);
	const client = new RankdClient(`ws://127.0.0.1:${run.port}/rpc`);
	let accepted = 0;
	let isStopped = false;
	const tell = async () => {
		while (!isStopped) {
			const answer = await client.feedback('tiny', { item: 'item-00', event: 'view' });
			accepted += answer.accepted;
		}
	};
	const telling = Array.from({ length: 8 }, () => tell().catch(() => {}));
	await vi.waitUntil(() => accepted > 500, { timeout: 20_000 });
	run.child.kill('SIGTERM');
	expect(await run.finished()).toBe(0);
	isStopped = true;
	await client.close();
	await Promise.all(telling);
	expect(existsSync(folder)).toBe(true);
	// What was answered is there; what was written in the last moment need not have been heard.
	expect(logged(folder).length).toBeGreaterThanOrEqual(accepted);
	expect(logged(folder).length).toBeLessThanOrEqual(accepted + 8);
	expect(run.stderr).not.toContain('lost');
});
