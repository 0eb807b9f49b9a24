/** `npm run train -- …`: sets up Python and the tool that writes bundles, then runs `rankd-train` where the caller stands. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { runMain } from './setup/failure.mjs';
import { venvDir } from './setup/paths.mjs';
import { setUp } from './setup/steps.mjs';

runMain(async () => {
	// What the command prints may be read by a program: set-up speaks on stderr.
	await setUp(['packages', 'tool', 'python'], { verbose: false, out: process.stderr });
	// npm runs scripts in the project's folder; paths of the caller count from the caller's.
	const child = spawn(`${venvDir}/bin/rankd-train`, process.argv.slice(2), { stdio: 'inherit', cwd: process.env.INIT_CWD });
	// Ctrl-C reaches both: the child ends its step and says so.
	process.on('SIGINT', () => {});
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
	});
});
