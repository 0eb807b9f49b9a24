import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SetupFailure } from '../setup/failure.mjs';
import { mustRun, runCommand, tail } from '../setup/run-command.mjs';

const newLog = () => join(mkdtempSync(join(tmpdir(), 'rankd-run-')), 'step.log');
const node = (code) => [process.execPath, '-e', code];

test('what a tool prints goes to its log, under the command', async () => {
	const log = newLog();
	const { code, output } = await runCommand(node('console.log(1); console.error(2)'), { log });
	assert.equal(code, 0);
	assert.deepEqual(output.trim().split('\n').sort(), ['1', '2']);
	assert.match(readFileSync(log, 'utf8'), /^\$ .*node.* -e .*1\n/s);
});

test('a step that must succeed and does not shows its end, its exit code and its log', async () => {
	const log = newLog();
	await assert.rejects(mustRun(node('for (let i = 0; i < 100; i++) console.log("line", i); process.exit(3)'), { log }), (error) => {
		assert.ok(error instanceof SetupFailure);
		assert.match(error.message, /^\(40 earlier lines left out\)\nline 40\n.*line 99\n.*exit code 3\..*step\.log$/s);
		return true;
	});
});

test('a tool that is not there is a set-up failure', async () => {
	await assert.rejects(runCommand(['no-such-tool-of-rankd'], { log: newLog() }), /cannot run no-such-tool-of-rankd/);
});

test('a tool that crashes has the exit code of a shell', async () => {
	const { code } = await runCommand(node('process.kill(process.pid, "SIGKILL")'), { log: newLog() });
	assert.equal(code, 128 + 9);
});

test('a short output has no lines left out', () => {
	assert.equal(tail('a\nb\n'), 'a\nb');
});
