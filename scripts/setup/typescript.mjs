/** TypeScript to dist/; the compiler keeps its own record of what is up to date. */
import { inRoot, logDir } from './paths.mjs';
import { mustRun } from './run-command.mjs';

export async function buildTypeScript({ verbose }) {
	await mustRun([process.execPath, inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', inRoot('tsconfig.json')], {
		log: `${logDir}/typescript.log`,
		verbose,
	});
}
