/** The echo server answers as the real one does, and the load generator measures it over every transport. */
import { pack, unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { type Protocol, type Socket, targetOf, writeRequests } from '../../bench/harness/endpoints.js';
import { observedLoad } from '../../bench/harness/observed-load.js';
import { EchoEngine } from '../../bench/servers/echo-engine.js';
import { startEcho } from '../../bench/servers/start-echo.js';
import { Codec, recordLength } from '../../src/native/addon.js';
import { withSession } from './support/run-session.js';

describe('the echo engine', () => {
	test('answers a frame with its id and its own body, whatever form the envelope has', () => {
		const engine = new EchoEngine();
		const bodies = [{ a: [1, 2, 3] }, null, 'text', Buffer.alloc(700, 7)];
		const ids = [0, 7, 300, 70_000, 'r1', null];
		const frames = ids.flatMap((id) => bodies.map((body) => ({ id, body, bytes: pack([1, 2, id, 'model@1.0.0', 25, null, 3, body]) })));
		const tickets = frames.map(({ bytes }) => engine.submit(bytes, Codec.msgpack));
		const { slab, records } = engine.flush();
		for (const [at, { id, body }] of frames.entries()) {
			const [ticket, offset = 0, length = 0, flags] = records.subarray(recordLength * at);
			expect({ ticket, flags }).toEqual({ ticket: tickets[at], flags: 0x100 });
			expect(unpack(Buffer.from(slab.buffer, offset, length))).toEqual(unpack(pack([1, id, 0, 0, true, body])));
		}
		expect(engine.flush().records.length).toBe(0);
	});

	test('answers a body alone with the body', () => {
		const engine = new EchoEngine();
		engine.submit(Buffer.from('{"k":1}'), Codec.json, 2);
		expect(Buffer.from(engine.flush().slab.subarray(0, 7)).toString()).toBe('{"k":1}');
	});

	test('refuses an envelope it cannot read', () => {
		expect(() => new EchoEngine().submit(pack([1, 2, 1, { no: 'text' }, null, null, null, {}]), Codec.msgpack)).toThrow(RangeError);
	});
});

describe('the load generator measures the echo server', () => {
	const ways: [Protocol, Socket][] = [
		['rpc', 'tcp'],
		['rpc', 'unix'],
		['json', 'tcp'],
		['msgpack', 'unix'],
	];

	test('over every kind of transport without an error', { timeout: 60_000 }, () =>
		withSession(async (session) => {
			const server = await startEcho(session);
			for (const [protocol, socket] of ways) {
				const requests = { operation: 'rank', target: 'echo', bodies: [{ n: 1 }, { n: 2 }] } as const;
				const { result, cpuUsPerRequest, residentBytes } = await observedLoad(session, server, {
					target: targetOf(server, protocol, requests, socket),
					corpus: writeRequests(session, protocol, requests),
					connections: 4,
					load: { mode: 'closed', in_flight: protocol === 'rpc' ? 4 : 1, seconds: 1 },
					warmup_seconds: 0.1,
				});
				expect(result).toMatchObject({ errors: {}, unanswered: 0, is_void: false });
				expect(result.completed).toBeGreaterThan(0);
				expect(result.histogram.reduce((sum, [, count]) => sum + count, 0)).toBe(result.completed);
				expect(cpuUsPerRequest).toBeGreaterThan(0);
				expect(residentBytes).toBeGreaterThan(2 ** 20);
			}
		}),
	);
});
