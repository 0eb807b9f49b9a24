/** The load generator where connections end, or where what comes is no answer: every request still has exactly one end. */
import { describe, expect, test } from 'vitest';
import type { LoadSpec } from '../../bench/harness/load.js';
import { httpSpec, rpcSpec } from './support/load-specs.js';
import { constant, endsOf, measure, runGenerator } from './support/run-generator.js';
import { answerFrame, httpServer, rawServer, rpcServer } from './support/slow-servers.js';

describe('connections', () => {
	test('that vanish are made anew: what they carried is lost, what comes later is answered', async () => {
		let count = 0;
		const address = await rpcServer(({ answer, socket }) => {
			count += 1;
			if (count % 50 === 0) socket.terminate();
			else answer();
		});
		const result = await measure(rpcSpec(address, constant(400, 0.5)));
		expect(result.errors['CONNECTION_LOST']).toBeGreaterThanOrEqual(3);
		expect(result.completed).toBeGreaterThan(100);
		expect(endsOf(result)).toBe(200);
	});

	test('that vanish cost nothing when the request may be tried again', async () => {
		let count = 0;
		const address = await rpcServer(({ answer, socket }) => {
			count += 1;
			if (count === 50) socket.terminate();
			else answer();
		});
		const result = await measure(rpcSpec(address, constant(200, 0.5), { retry: { max_attempts: 3, budget: 1, backoff_ms: 1 } }));
		expect(result).toMatchObject({ intended: 100, completed: 100, errors: {} });
		expect(result.retries).toBeGreaterThanOrEqual(1);
	});

	test.each(['closed', 'open'] as const)('that http closes after each answer are made anew (%s loop)', async (mode) => {
		const sockets = new Set<unknown>();
		const address = await httpServer(({ socket }, response) => {
			sockets.add(socket);
			response.writeHead(200, { connection: 'close' }).end('{}');
		});
		const load: LoadSpec['load'] = mode === 'closed' ? { mode, in_flight: 1, seconds: 0.3 } : constant(100, 0.3);
		const result = await measure(httpSpec(address, load));
		expect(result.completed).toBe(result.intended);
		expect(result.completed).toBeGreaterThan(1);
		expect(sockets.size).toBeGreaterThanOrEqual(result.completed);
	});

	test('are spread over the addresses in turn', async () => {
		const seen = [0, 0];
		const addresses = await Promise.all(
			[0, 1].map((server) =>
				rpcServer(({ answer }) => {
					seen[server] = (seen[server] as number) + 1;
					answer();
				}),
			),
		);
		const spec = rpcSpec('', constant(100, 0.4), { connections: 4 });
		await measure({ ...spec, target: { ...spec.target, addresses } });
		expect(seen).toEqual([20, 20]);
	});

	test('a ping is answered, fragments are put together', async () => {
		let pongs = 0;
		const address = await rpcServer(({ id, socket }) => {
			if (socket.listenerCount('pong') === 0) socket.on('pong', () => (pongs += 1));
			socket.ping('are you there');
			const whole = answerFrame(id, 0, { text: 'x'.repeat(300) });
			socket.send(whole.subarray(0, 9), { fin: false });
			socket.send(whole.subarray(9), { fin: true });
		});
		const result = await measure(rpcSpec(address, constant(100, 0.3)));
		expect(result).toMatchObject({ completed: 30, errors: {} });
		expect(pongs).toBeGreaterThan(0);
	});
});

describe('a server that talks nonsense', () => {
	test('is counted, and the good answers too', async () => {
		const nonsense = [Buffer.from('nonsense'), Buffer.alloc(0), answerFrame(4_000_000_000, 0, {}), answerFrame(0, 999, {})];
		let count = 0;
		const address = await rpcServer(({ socket, answer }) => {
			socket.send(nonsense[count++ % nonsense.length] as Buffer);
			if (count % 5 === 0) socket.send('a text');
			answer();
		});
		const result = await measure(rpcSpec(address, constant(200, 0.5)));
		expect(result).toMatchObject({ intended: 100, completed: 100, unanswered: 0, errors: { PROTOCOL: 120 } });
	});

	test('in the framing loses its connection', async () => {
		const address = await rpcServer(({ socket }) => {
			(socket as unknown as { _socket: import('node:net').Socket })._socket.write(Buffer.from([0xff, 0xff, 1, 2, 3]));
		});
		const { code, result } = await runGenerator(rpcSpec(address, constant(50, 0.3), { linger_seconds: 0.2 }));
		expect(code).toBe(1);
		expect(result.errors['PROTOCOL']).toBeGreaterThan(0);
		expect(result.errors['CONNECTION_LOST']).toBeGreaterThan(0);
	});

	test.each([
		['another protocol', 'SSH-2.0-x\r\n\r\n'],
		['two answers for one request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
		['a chunk longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n'],
	])('over http is a protocol error: %s', async (_, text) => {
		const address = await rawServer((socket) => socket.on('data', () => socket.write(text)));
		const { result } = await runGenerator(httpSpec(address, constant(50, 0.4), { linger_seconds: 0.2 }));
		expect(result.errors['PROTOCOL']).toBeGreaterThan(0);
		expect(result.intended).toBe(20);
	});
});
