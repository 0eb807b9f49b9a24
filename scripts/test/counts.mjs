/** How many tests a command ran, read from what it printed or wrote. Each reader takes the finished command and returns counts. */
import { readFileSync } from 'node:fs';

export const none = { passed: 0, failed: 0, skipped: 0 };
export const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped });
export const closingLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** The command as a whole is one test. */
export const asOne = ({ code }) => (code === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 });

/** ctest's JUnit report: the sum over its programs. */
export const fromCtest = (report) => () => {
	const programs = readFileSync(report, 'utf8').matchAll(/<testcase [^>]*status="(\w+)"[^>]*>(.*?)<\/testcase>/gs);
	return [...programs].map(([, status, output]) => countProgram(status === 'run', output)).reduce(add, none);
};

/** A program tells its counts in its last line `N passed, N failed`; one that tells none is one test, and so is the bad end of one. */
function countProgram(passed, output) {
	const line = [...output.matchAll(/^(?:\s*<system-out>)?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
	if (!line) return asOne({ code: passed ? 0 : 1 });
	const counts = { passed: Number(line[1]), failed: Number(line[2]), skipped: Number(line[3] ?? 0) };
	const ranNone = counts.passed + counts.failed + counts.skipped === 0;
	return (passed && !ranNone) || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** vitest's JSON report. */
export const fromVitest = (report) => () => {
	const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
	return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
};

/** pytest's JUnit report: the attributes of its test suite. */
export const fromJunit = (report) => () => {
	const suite = readFileSync(report, 'utf8').match(/<testsuite [^>]*>/)?.[0] ?? '';
	const value = (name) => Number(suite.match(new RegExp(` ${name}="(\\d+)"`))?.[1] ?? 0);
	const failed = value('failures') + value('errors');
	return { passed: value('tests') - failed - value('skipped'), failed, skipped: value('skipped') };
};

/** The closing lines of `node --test` with the spec reporter. */
export function fromNodeTest({ output }) {
	const value = (name) => Number(output.match(new RegExp(`^ℹ ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
	return { passed: value('pass'), failed: value('fail') + value('cancelled'), skipped: value('skipped') + value('todo') };
}
