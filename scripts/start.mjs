/** `npm start`: sets up what a server needs (no Python), then serves. Arguments go to `rankd serve`. */
import { runMain } from './setup/failure.mjs';
import { inRoot } from './setup/paths.mjs';
import { setUp } from './setup/steps.mjs';
import { superviseServer } from './setup/supervise.mjs';

runMain(async () => {
	const args = process.argv.slice(2);
	await setUp(['packages', 'addon', 'typescript'], { verbose: args.includes('--verbose') });
	return superviseServer([inRoot('dist', 'cli.js'), 'serve', ...args.filter((arg) => arg !== '--verbose')]);
});
