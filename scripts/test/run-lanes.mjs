/** Runs lanes one after the other and tells what came of each. */
import { mkdirSync, rmSync } from 'node:fs';
import { logDir } from '../setup/paths.mjs';
import { seconds, withProgress } from '../setup/progress.mjs';
import { describeFailure, runCommand } from '../setup/run-command.mjs';
import { reportDir } from './commands.mjs';
import { add, closingLine, none } from './counts.mjs';

/** @returns {Promise<{name: string, counts: {passed: number, failed: number, skipped: number}, time: string}[]>} one result per lane */
export async function runLanes(lanes, options) {
	mkdirSync(reportDir, { recursive: true });
	const results = [];
	for (const [at, lane] of lanes.entries()) {
		const start = performance.now();
		const problems = [];
		let counts = none;
		await withProgress(`(${at + 1}/${lanes.length}) ${lane.name}`, options, async () => {
			counts = await runLane(lane, options, problems);
			return closingLine(counts);
		});
		for (const problem of problems) console.log(`\n${problem}\n`);
		results.push({ name: lane.name, counts, time: seconds(start) });
	}
	return results;
}

async function runLane(lane, options, problems) {
	const reason = lane.skip?.();
	if (reason) {
		problems.push(`${lane.name} is skipped: ${reason}`);
		return { ...none, skipped: 1 };
	}
	let counts = none;
	for (const entry of lane.commands()) {
		const { counts: more, problem } = await runEntry(lane, entry, options);
		counts = add(counts, more);
		if (problem) problems.push(problem);
		if (problem && !entry.count) break;
	}
	return counts;
}

/** A command that fails without naming a failed test, or whose tests nobody counted, is one failed test. */
async function runEntry(lane, { name, command, env, cwd, report, count }, { verbose }) {
	if (report) rmSync(report, { force: true });
	const result = await runCommand(command, { log: `${logDir}/test-${lane.name}-${name}.log`, verbose, env, cwd });
	const counts = count ? readCounts(count, result) : none;
	const counted = counts.passed + counts.failed + counts.skipped > 0;
	if (result.code === 0 && counts.failed === 0 && (counted || !count)) return { counts };
	const failed = { ...counts, failed: Math.max(counts.failed, 1) };
	const uncounted = result.code === 0 && !counted ? '\nIt ran no test.' : '';
	return { counts: failed, problem: `${lane.name}: ${describeFailure(command, result)}${uncounted}` };
}

/** A command that crashed may have left no report, or half of one. */
function readCounts(count, result) {
	try {
		return count(result);
	} catch (error) {
		if (result.code === 0) throw error;
		return none;
	}
}

/** @returns the table's lines, the total last */
export function summarize(results) {
	const row = (...cells) => cells.map((cell, at) => (at === 0 ? String(cell).padEnd(12) : String(cell).padStart(9))).join('');
	const total = results.reduce((sum, { counts }) => add(sum, counts), none);
	const rows = results.map(({ name, counts, time }) => row(name, counts.passed, counts.failed, counts.skipped, time));
	return { total, text: ['', row('lane', 'passed', 'failed', 'skipped', 'time'), ...rows, '', closingLine(total)].join('\n') };
}
