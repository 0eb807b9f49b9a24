import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownRequests } from '../../bench/questions/own-requests.js';

function fileOf(text: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'rankd-requests-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	writeFileSync(join(folder, 'bodies.ndjson'), text);
	return join(folder, 'bodies.ndjson');
}

test('each line is a body; empty lines are none', () => {
	const file = fileOf('{"user": "ada", "k": 5}\n\n{"history": []}\n');
	expect(ownRequests(file, 'recommend/packages@champion')).toEqual({
		operation: 'recommend',
		target: 'packages@champion',
		bodies: [{ user: 'ada', k: 5 }, { history: [] }],
	});
});

test('slips are told with their line', () => {
	expect(() => ownRequests(fileOf('{}\n[1]\n'), 'rank/packages')).toThrow('line 2 is no JSON object: [1]');
	expect(() => ownRequests(fileOf('{"k": \n'), 'rank/packages')).toThrow('line 1 is no JSON object');
	expect(() => ownRequests(fileOf('\n'), 'rank/packages')).toThrow('holds no request');
	expect(() => ownRequests('/no/such/file', 'rank/packages')).toThrow('there is no file');
	for (const target of [undefined, 'packages', 'rnak/packages', 'rank/']) {
		expect(() => ownRequests(fileOf('{}'), target)).toThrow('--requests needs --target');
	}
});
