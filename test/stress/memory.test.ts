import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const bundle = path('models/packages/1.0.0');

/** What a program says its memory has grown by, as a share. */
async function growth(program: string, ...args: string[]): Promise<number> {
	const { stdout } = await promisify(execFile)(program, args);
	return Number(stdout);
}

test('loading and unloading a bundle leaves memory where it was', { timeout: 600_000 }, async () => {
	expect(await growth(path('build/cmake/memory_stress'), bundle)).toBeLessThanOrEqual(0.02);
});

test.each([
	['thirty thousand bad frames', 'badFrames'],
	['thirty thousand clients that vanish', 'vanishingClients'],
])('%s leave memory where it was', { timeout: 600_000 }, async (_, work) => {
	const node = [process.execPath, '--expose-gc', '--single-threaded-gc'] as const;
	expect(await growth(...node, path('test/stress/cycles.mjs'), work, bundle)).toBeLessThanOrEqual(0.02);
});
