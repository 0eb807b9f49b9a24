import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asOne, fromCtest, fromJunit, fromNodeTest, fromVitest } from './counts.mjs';

const program = (status, output) =>
	`\t<testcase name="x" classname="x" time="0.01" status="${status}">\n\t\t<system-out>${output}</system-out>\n\t</testcase>\n`;
const countCtest = (...programs) =>
	fromCtest(fileWith(`<?xml version="1.0"?>\n<testsuite name="t"\n\ttests="2"\n\t>\n${programs.join('')}</testsuite>\n`))();

function fileWith(text) {
	const file = join(mkdtempSync(join(tmpdir(), 'rankd-counts-')), 'report');
	writeFileSync(file, text);
	return file;
}

test('a command counted as one test passes with its exit code', () => {
	assert.deepEqual(asOne({ code: 0 }), { passed: 1, failed: 0, skipped: 0 });
	assert.deepEqual(asOne({ code: 2 }), { passed: 0, failed: 1, skipped: 0 });
});

test('ctest: the programs are summed', () => {
	const counts = countCtest(program('run', '5 passed, 0 failed\n'), program('run', 'a note\n7 passed, 0 failed\n'));
	assert.deepEqual(counts, { passed: 12, failed: 0, skipped: 0 });
});

test('ctest: a program that crashes before it counts is one failed test', () => {
	assert.deepEqual(countCtest(program('fail', '')), { passed: 0, failed: 1, skipped: 0 });
});

test('ctest: a program that crashes after it counted is one failed test more', () => {
	assert.deepEqual(countCtest(program('fail', '5 passed, 0 failed\nleak\n')), { passed: 5, failed: 1, skipped: 0 });
});

test('ctest: a program that counts its own failures is taken at its word', () => {
	assert.deepEqual(countCtest(program('fail', '5 passed, 2 failed\n')), { passed: 5, failed: 2, skipped: 0 });
});

test('ctest: of several lines the last whole one counts', () => {
	const output = '1 passed, 0 failed\nsaw "9 passed, 9 failed" in a text\n12 passed, 0 failed, 1 skipped\nbye\n';
	assert.deepEqual(countCtest(program('run', output)), { passed: 12, failed: 0, skipped: 1 });
});

test('ctest: a program that tells no counts is one test', () => {
	assert.deepEqual(countCtest(program('run', '88 files, 1000 runs\n')), { passed: 1, failed: 0, skipped: 0 });
});

test('ctest: a program that says it ran nothing is one failed test', () => {
	assert.deepEqual(countCtest(program('run', '0 passed, 0 failed\n')), { passed: 0, failed: 1, skipped: 0 });
});

test('vitest: pending and todo are skipped', () => {
	const report = fileWith('{"numPassedTests":4,"numFailedTests":1,"numPendingTests":2,"numTodoTests":1}');
	assert.deepEqual(fromVitest(report)(), { passed: 4, failed: 1, skipped: 3 });
});

test('pytest: errors count as failures', () => {
	const report = fileWith(
		'<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.0">',
	);
	assert.deepEqual(fromJunit(report)(), { passed: 4, failed: 3, skipped: 3 });
});

test('node --test: the closing lines are read', () => {
	const output = 'ℹ tests 5\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n';
	assert.deepEqual(fromNodeTest({ output }), { passed: 3, failed: 1, skipped: 1 });
});
