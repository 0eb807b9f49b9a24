/** A whole question, with the real server, the real generator and the bundle that ships. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { main } from '../../bench/harness/cli.js';
import type { Report } from '../../bench/harness/report.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('start is answered with its rows, checks and pictures, and every check holds', { timeout: 60_000 }, async () => {
	const results = temporaryFolder();
	let stdout = '';
	let stderr = '';
	const code = await main(['start', '--seconds', '1', '--pairs', '1', '--json'], {
		prepare: async () => {},
		stdout: (text) => {
			stdout += text;
		},
		stderr: (text) => {
			stderr += text;
		},
		results,
	});
	expect({ code, stderr }).toMatchObject({ code: 0 });
	const { rows, checks, versions } = JSON.parse(stdout) as Report;
	expect(rows.map(({ what, starts }) => [what, starts])).toEqual([
		['first answer', 1],
		['memory at the first answer', 1],
		['memory under full load', 1],
	]);
	for (const { median } of rows) expect(median).toBeGreaterThan(0);
	expect(checks.every(({ ok }) => ok)).toBe(true);
	expect(versions['onnxruntime']).toMatch(/^\d+\.\d+/);
	expect(readFileSync(`${results}/start.svg`, 'utf8')).toContain('<polyline');
});
