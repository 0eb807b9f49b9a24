/** What a request costs the JavaScript heap between socket and engine: one view of its answer, and its share of the turn. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fixture } from './frames.js';

const REQUESTS = 48_000;
const program = fileURLToPath(new URL('garbage.mjs', import.meta.url));
/** Two young generations of so many MiB hold all that is counted. */
const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

async function heapBytesPerRequest(requestsPerTurn: number): Promise<number> {
	const turns = Math.floor(REQUESTS / requestsPerTurn);
	const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, fixture('tiny'), `${requestsPerTurn}`, `${turns}`]);
	return Number(stdout);
}

// Measured: 104 and 82 bytes, where a view alone is 80 (Node 20).
test.each([
	[16, 160],
	[64, 128],
])('%i requests in a turn: each costs less than %i bytes', { timeout: 60_000 }, async (requestsPerTurn, bytes) => {
	const measured = await heapBytesPerRequest(requestsPerTurn);
	expect(measured).toBeGreaterThan(0);
	expect(measured).toBeLessThan(bytes);
});
