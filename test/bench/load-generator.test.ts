/** The load generator against servers with known delays and failures. Only lower bounds of time are asserted: the injected ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LoadResult, LoadSpec } from '../../bench/harness/load.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { httpSpec, rpcSpec } from './support/load-specs.js';
import { constant, corpusOf, endsOf, frames, measure, runGenerator, runProgram } from './support/run-generator.js';
import { httpServer, rpcServer, stallEvery } from './support/slow-servers.js';

const OVERLOADED = 16;
const later = (ms: number, act: () => void): NodeJS.Timeout => setTimeout(act, ms);

describe('a stall of 200 ms in every second', () => {
	const stalling = async (load: LoadSpec['load']): Promise<LoadResult> => {
		const address = await rpcServer(({ answer }) => answer());
		stallEvery(1000, 200);
		return measure(rpcSpec(address, load, { warmup_seconds: 0.2 }));
	};

	test.each([50, 5000])('shows in p99 at %i requests per second', async (rate) => {
		const { latency_us, intended, completed } = await stalling(constant(rate, 3));
		expect(completed).toBe(intended);
		expect(latency_us.p99).toBeGreaterThanOrEqual(170_000);
		expect(latency_us.max).toBeGreaterThanOrEqual(latency_us.p99);
	});

	test('is hidden by a closed loop, and still seen as its maximum', async () => {
		const { latency_us } = await stalling({ mode: 'closed', in_flight: 1, seconds: 3 });
		expect(latency_us.max).toBeGreaterThanOrEqual(190_000);
		expect(latency_us.p99).toBeLessThan(latency_us.max / 2);
	});

	test('shows as a gap in the timeline', async () => {
		const { timeline, completed } = await stalling(constant(1000, 2));
		expect(timeline.some((step) => step.completed === 0)).toBe(true);
		expect(timeline.reduce((sum, step) => sum + step.completed, 0)).toBe(completed);
		expect(timeline.map(({ at_ms }) => at_ms).slice(0, 3)).toEqual([0, 100, 200]);
	});
});

describe('a constant delay of 30 ms is in every latency', () => {
	const delayMs = 30;
	const expectDelayed = ({ latency_us, completed, intended, seconds, histogram }: LoadResult): void => {
		expect(completed).toBe(intended);
		expect(intended).toBe(100);
		expect(seconds).toBe(0.5);
		// A timer of Node may fire a millisecond early.
		expect(latency_us.min).toBeGreaterThanOrEqual((delayMs - 1) * 1000);
		expect(latency_us.p50).toBeGreaterThanOrEqual((delayMs - 1) * 1000);
		expect(histogram.reduce((sum, [, count]) => sum + count, 0)).toBe(completed);
	};

	test('rpc over TCP', async () => {
		const address = await rpcServer(({ answer }) => later(delayMs, answer));
		expectDelayed(await measure(rpcSpec(address, constant(200, 0.5))));
	});

	test('rpc over a Unix socket', async () => {
		const address = await rpcServer(({ answer }) => later(delayMs, answer), join(temporaryFolder(), 'rpc.sock'));
		expect(address).toMatch(/^unix:/);
		expectDelayed(await measure(rpcSpec(address, constant(200, 0.5))));
	});

	test('http, and what waits for a free connection counts from when it was due', async () => {
		const address = await httpServer((_, response) => later(delayMs, () => response.end('{}')));
		expectDelayed(await measure(httpSpec(address, constant(200, 0.5), { connections: 32 })));
		const queued = await measure(httpSpec(address, constant(200, 0.2), { connections: 1 }));
		expect(queued.completed).toBe(40);
		// The fortieth request is due after 195 ms and leaves behind 39 others.
		expect(queued.latency_us.max).toBeGreaterThanOrEqual(40 * (delayMs - 1) * 1000 - 195_000);
	});

	test('http in chunks over a Unix socket', async () => {
		const handle = (_: unknown, response: import('node:http').ServerResponse) => {
			response.write('one ');
			later(delayMs, () => response.end('two'));
		};
		expectDelayed(await measure(httpSpec(await httpServer(handle, join(temporaryFolder(), 's')), constant(200, 0.5), { connections: 32 })));
	});
});

describe('what is counted', () => {
	test('every request has one end, and errors are told by code', async () => {
		const codes = [0, 0, 3, 0, OVERLOADED, 0, undefined];
		const address = await rpcServer(({ body, answer }) => {
			const code = codes[body.place];
			if (code !== undefined) answer(code, { error: 'as asked' });
		});
		const result = await measure(rpcSpec(address, constant(700, 0.5), { linger_seconds: 0.3 }));
		expect(result.intended).toBe(350);
		expect(result).toMatchObject({ sent: 350, completed: 200, errors: { 3: 50, [OVERLOADED]: 50 }, unanswered: 50, retries: 0 });
		expect(endsOf(result)).toBe(result.intended);
	});

	test('http errors are told by status', async () => {
		let count = 0;
		const address = await httpServer((_, response) => response.writeHead([200, 429, 500][count++ % 3] as number).end());
		const result = await measure(httpSpec(address, constant(300, 0.5)));
		expect(result).toMatchObject({ intended: 150, completed: 50, errors: { 429: 50, 500: 50 }, unanswered: 0 });
	});

	test('the warm-up is sent and not counted, its late answers included', async () => {
		let seen = 0;
		const address = await rpcServer(({ answer }) => {
			seen += 1;
			if (seen <= 100) later(300, answer);
			else answer();
		});
		const result = await measure(rpcSpec(address, constant(500, 0.4), { warmup_seconds: 0.2 }));
		expect(seen).toBe(300);
		expect(result).toMatchObject({ intended: 200, completed: 200 });
	});

	test('an answer in several frames ends with its last one', async () => {
		const address = await rpcServer(({ answer }) => {
			answer(0, {}, false);
			later(20, answer);
		});
		const { completed, latency_us } = await measure(rpcSpec(address, constant(100, 0.3)));
		expect(completed).toBe(30);
		expect(latency_us.min).toBeGreaterThanOrEqual(19_000);
	});

	test('a closed loop keeps its number of requests in flight', async () => {
		let open = 0;
		let most = 0;
		const address = await rpcServer(({ answer }) => {
			open += 1;
			most = Math.max(most, open);
			later(5, () => {
				open -= 1;
				answer();
			});
		});
		const result = await measure(rpcSpec(address, { mode: 'closed', in_flight: 8, seconds: 0.4 }));
		expect(most).toBe(16);
		expect(result.completed).toBe(result.intended);
		expect(result).toMatchObject({ missed: 0, is_void: false });
	});

	test('more than one core can send makes the run void', async () => {
		const address = await rpcServer(({ answer }) => answer());
		const { code, result, stderr } = await runGenerator(
			rpcSpec(address, { mode: 'open', arrivals: 'poisson', profile: [{ seconds: 0.2, per_second: 5e7 }] }, { linger_seconds: 0.2 }),
		);
		expect(code).toBe(0);
		expect(result.is_void).toBe(true);
		expect(result.missed).toBeGreaterThan(result.intended / 100);
		expect(result.intended).toBeGreaterThan(9e6);
		expect(result.sent).toBeLessThan(result.intended);
		expect(stderr).toMatch(/^void: /);
	});

	test('a server that stops reading does not stop the clock', async () => {
		const big = frames(2, { body: { place: 0, padding: 'x'.repeat(400_000) } });
		let isPaused = false;
		const address = await rpcServer(({ answer, socket }) => {
			answer();
			if (isPaused) return;
			isPaused = true;
			socket.pause();
			later(400, () => socket.resume());
		});
		const result = await measure(rpcSpec(address, constant(100, 0.5), { corpus: corpusOf(big), connections: 1 }));
		expect(result).toMatchObject({ intended: 50, sent: 50, completed: 50 });
		expect(result.latency_us.max).toBeGreaterThanOrEqual(300_000);
	});
});

describe('retries', () => {
	/** Refuses the first attempt of every request. */
	const refusing = (refuse: (answer: (code?: number, body?: unknown) => void) => void): Promise<string> => {
		const tried = new Set<number>();
		return rpcServer(({ id, answer }) => {
			if (tried.delete(id)) return answer();
			tried.add(id);
			refuse(answer);
		});
	};

	test('wait as long as the answer says, and latency counts from the first attempt', async () => {
		const address = await refusing((answer) => answer(OVERLOADED, { error: 'busy', retry_after_ms: 40 }));
		const result = await measure(rpcSpec(address, constant(100, 0.5), { retry: { max_attempts: 2, budget: 1, backoff_ms: 1 } }));
		expect(result).toMatchObject({ intended: 50, sent: 50, completed: 50, retries: 50, errors: {} });
		expect(result.latency_us.min).toBeGreaterThanOrEqual(40_000);
	});

	test('stay within the budget', async () => {
		const address = await rpcServer(({ answer }) => answer(OVERLOADED, { error: 'busy' }));
		const result = await measure(rpcSpec(address, constant(200, 0.5), { retry: { max_attempts: 5, budget: 0.1, backoff_ms: 1 } }));
		expect(result).toMatchObject({ intended: 100, completed: 0, errors: { [OVERLOADED]: 100 }, retries: 10 });
	});

	test('follow Retry-After over http, and never an error that stays', async () => {
		const tried = { busy: 0, gone: 0 };
		const address = await httpServer((_, response) => {
			if (tried.busy++ === 0) response.writeHead(503, { 'retry-after': '1' }).end();
			else if (tried.gone++ === 0) response.writeHead(500).end();
			else response.end('{}');
		});
		const result = await measure(httpSpec(address, constant(10, 0.5), { retry: { max_attempts: 3, budget: 1, backoff_ms: 1 } }));
		expect(result).toMatchObject({ intended: 5, completed: 4, errors: { 500: 1 }, retries: 1 });
		expect(result.latency_us.max).toBeGreaterThanOrEqual(1_000_000);
	});
});

test('a recording is replayed with the same times, places and count', async () => {
	const folder = temporaryFolder();
	const [first, second] = [join(folder, 'first.bin'), join(folder, 'second.bin')] as const;
	let places: number[] = [];
	const address = await rpcServer(({ body, answer }) => {
		places.push(body.place);
		answer();
	});
	const poisson: LoadSpec['load'] = {
		mode: 'open',
		arrivals: 'poisson',
		profile: [{ seconds: 0.5, per_second: 400 }],
		burst: { every_ms: 100, requests: 5 },
	};
	const original = await measure(rpcSpec(address, poisson, { connections: 1, record: first, seed: 9 }));
	const sent = places;
	places = [];
	const replayed = await measure(rpcSpec(address, { mode: 'replay', file: first }, { connections: 1, record: second }));
	expect(replayed.intended).toBe(original.intended);
	expect(replayed.seconds).toBe(original.seconds);
	expect(places).toEqual(sent);
	expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
});

describe('the command line', () => {
	test('--help and --version', async () => {
		const help = await runProgram(['--help']);
		expect(help).toMatchObject({ code: 0, stderr: '' });
		expect(help.stdout).toContain('Usage: rankd-load');
		expect((await runProgram(['--version'])).stdout).toMatch(/^rankd-load \d+\.\d+\.\d+\n$/);
	});

	test('a spec may come from a file', async () => {
		const address = await rpcServer(({ answer }) => answer());
		const folder = temporaryFolder({ 'spec.json': JSON.stringify(rpcSpec(address, constant(50, 0.2))) });
		expect((await runProgram([join(folder, 'spec.json')])).result.completed).toBe(10);
		expect(await runProgram([join(folder, 'none.json')])).toMatchObject({ code: 2, stdout: '' });
	});

	test('a bad spec ends with 2 and a message that names the field', async () => {
		const spec = rpcSpec('127.0.0.1:1', constant(50, 0.2));
		const refused = async (bad: unknown): Promise<string> => {
			const { code, stdout, stderr } = await runGenerator(bad);
			expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
			return stderr;
		};
		expect(await refused({ ...spec, connections: 0 })).toBe('rankd-load: connections: expected an integer from 1 to 60000, got 0\n');
		expect(await refused({ ...spec, conections: 1 })).toMatch(/conections: is no field; known are target, /);
		expect(await refused({ ...spec, corpus: '/no/such/corpus' })).toMatch(/corpus: .*\/no\/such\/corpus/);
		expect(await refused({ ...spec, load: { mode: 'replay', file: spec.corpus } })).toMatch(/load\.file: .* is no recording/);
		expect(await refused({ ...spec, corpus: corpusOf([Buffer.from('{}')]) })).toMatch(/entry 0 is no request frame/);
	});

	test('a server that is not there, or speaks no WebSocket, ends with 1 and its address', async () => {
		const gone = await runGenerator(rpcSpec('127.0.0.1:1', constant(50, 0.2)));
		expect(gone).toMatchObject({ code: 1, stdout: '', stderr: 'rankd-load: 127.0.0.1:1: Connection refused\n' });
		const address = await httpServer((_, response) => response.writeHead(404).end());
		const { code, stderr } = await runGenerator(rpcSpec(address, constant(50, 0.2)));
		expect({ code, stderr }).toEqual({
			code: 1,
			stderr: `rankd-load: ${address}: no WebSocket: the upgrade was answered with status 404\n`,
		});
	});

	test('a server that answers nothing ends with 1, and the result is printed', async () => {
		const address = await rpcServer(() => {});
		const { code, result, stderr } = await runGenerator(rpcSpec(address, constant(50, 0.2), { linger_seconds: 0.1 }));
		expect(code).toBe(1);
		expect(stderr).toContain('nothing was answered\n');
		expect(result).toMatchObject({ intended: 10, sent: 10, unanswered: 10 });
	});
});
