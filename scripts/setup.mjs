/** `npm run setup`, `npm run build`: brings the checkout up to date, or only the parts that are named. */
import { runMain, SetupFailure } from './setup/failure.mjs';
import { setUp, stepNames } from './setup/steps.mjs';

/** `native` builds these as well. */
const partsOfNative = ['addon', 'load', 'tool'];

const usage = `usage: node scripts/setup.mjs [--verbose] [${stepNames.join(' | ')}] …
Without a name: everything that tests need. The npm packages always come first; a step that is up to date is skipped.`;

runMain(async () => {
	const args = process.argv.slice(2);
	if (args.includes('--help')) {
		console.log(usage);
		return 0;
	}
	const named = args.filter((arg) => arg !== '--verbose');
	const unknown = named.find((name) => !stepNames.includes(name));
	if (unknown) throw new SetupFailure(`unknown step "${unknown}"\n${usage}`, 2);
	const wanted = named.length > 0 ? named : stepNames.filter((name) => !partsOfNative.includes(name));
	await setUp(['packages', ...wanted], { verbose: args.includes('--verbose') });
	return 0;
});
