/** TypeScript to JavaScript; the compiler keeps its own record of what is up to date. */
import { inRoot, logDir } from './paths.mjs';
import { mustRun } from './run-command.mjs';

/** The server, to dist/. */
export const buildTypeScript = (options) => compile('tsconfig.json', 'typescript', options);

/** The bench, to build/bench/js/. */
export const buildBench = (options) => compile('tsconfig.bench.json', 'bench', options);

async function compile(project, name, { verbose, out }) {
	await mustRun([process.execPath, inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', inRoot(project)], {
		log: `${logDir}/${name}.log`,
		verbose,
		out,
	});
}
