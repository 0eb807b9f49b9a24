/** `npm test`: sets up what the lanes need, runs them, and ends with one line of counts. */
import { rmSync, writeFileSync } from 'node:fs';
import { runMain, SetupFailure } from './setup/failure.mjs';
import { setUp } from './setup/steps.mjs';
import { reportDir } from './test/commands.mjs';
import { closingLine, none } from './test/counts.mjs';
import { lanes } from './test/lanes.mjs';
import { runLanes, summarize } from './test/run-lanes.mjs';

const usage = `usage: npm test [-- [--slow] [--verbose] [LANE …]]
Without a lane: all but the slow ones; with --slow: only the slow ones.

${lanes.map(({ name, asks, slow }) => `  ${name.padEnd(10)}${asks}${slow ? ' (slow)' : ''}`).join('\n')}`;

runMain(async () => {
	const args = process.argv.slice(2);
	if (args.includes('--help')) {
		console.log(usage);
		return 0;
	}
	const slow = args.includes('--slow');
	const options = { verbose: args.includes('--verbose') };
	const chosen = chooseLanes(
		args.filter((arg) => !['--slow', '--verbose'].includes(arg)),
		slow,
	);
	const totalFile = `${reportDir}/total-${slow ? 'slow' : 'fast'}.json`;
	rmSync(totalFile, { force: true });
	await setUpOrFail(['packages', ...chosen.flatMap((lane) => lane.needs)], options);
	const { total, text } = summarize(await runLanes(chosen, options));
	writeFileSync(totalFile, JSON.stringify(total));
	console.log(text);
	return total.failed === 0 ? 0 : 1;
});

function chooseLanes(names, slow) {
	const unknown = names.find((name) => !lanes.some((lane) => lane.name === name));
	if (unknown) throw new SetupFailure(`unknown lane "${unknown}"\n${usage}`, 2);
	return lanes.filter((lane) => (names.length > 0 ? names.includes(lane.name) : (lane.slow ?? false) === slow));
}

/** Set-up that fails leaves no lane to run, and still a line of counts. */
async function setUpOrFail(steps, options) {
	try {
		await setUp(steps, options);
	} catch (error) {
		if (error instanceof SetupFailure) error.message += `\n\n${closingLine({ ...none, failed: 1 })}`;
		throw error;
	}
}
