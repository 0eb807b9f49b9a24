/** `npm run bench -- <question>`: builds what is measured and the bench itself, then asks. Set-up talks on stderr: stdout is the answer's. */
import { pathToFileURL } from 'node:url';
import { runMain, SetupFailure } from './setup/failure.mjs';
import { inRoot } from './setup/paths.mjs';
import { setUp } from './setup/steps.mjs';

/** 1 would say that a check failed. */
const COULD_NOT_MEASURE = 3;

runMain(async () => {
	const args = process.argv.slice(2).filter((arg) => arg !== '--verbose');
	const options = { verbose: process.argv.includes('--verbose'), out: process.stderr };
	await setUp(['packages', 'bench'], options).catch(asUnmeasurable);
	const { main } = await import(pathToFileURL(inRoot('build', 'bench', 'js', 'bench', 'harness', 'cli.js')).href);
	return main(args, {
		prepare: () => setUp(['addon', 'load', 'typescript'], options).catch(asUnmeasurable),
		stdout: (text) => process.stdout.write(text),
		stderr: (text) => process.stderr.write(text),
	});
});

function asUnmeasurable(error) {
	if (error instanceof SetupFailure && error.exitCode === 1) error.exitCode = COULD_NOT_MEASURE;
	throw error;
}
