/** The Python environments: one lock pins every version in all of them, and each installs only what it names. */
import { inRoot, logDir, venvDir } from './paths.mjs';
import { findPython, pythonVersion } from './prerequisites.mjs';
import { mustRun } from './run-command.mjs';
import { contentOf, fingerprint, hasStamp, writeStamp } from './stamps.mjs';

const lockFile = inRoot('training', 'requirements.lock');

/** Of our own packages: training, and the client with its tools. */
export function installPython(options) {
	const training = inRoot('training');
	const client = inRoot('clients', 'python');
	const sources = [`${training}/pyproject.toml`, `${client}/pyproject.toml`];
	return bringUpToDate({ name: 'python', dir: venvDir, sources }, options, async (pip) => {
		// torch first and alone: with it in place nothing that depends on it asks for another build.
		await pip('torch', lockedTorch());
		await pip('packages', '-e', `${training}[test]`, '-e', `${client}[test]`);
	});
}

/** Of other people's clients, which drag in what none of ours needs. */
export function installConformance(options) {
	const requirements = inRoot('test', 'conformance', 'requirements.txt');
	const environment = { name: 'conformance', dir: inRoot('test', 'conformance', '.venv'), sources: [requirements] };
	return bringUpToDate(environment, options, (pip) => pip('packages', '-r', requirements));
}

/**
 * Makes an environment anew, or only what its sources ask for now.
 * @param environment  name of its logs; dir, where it lives; sources, the files that say what belongs into it
 * @param install      gets `pip(step, ...what)`, which installs within the lock
 */
async function bringUpToDate({ name, dir, sources }, { verbose }, install) {
	const python = findPython();
	const venvPython = `${dir}/bin/python`;
	const stamp = `${dir}/.rankd-stamp`;
	const wanted = fingerprint(contentOf(lockFile), ...sources.map(contentOf), python.version, dir);
	if (hasStamp(stamp, wanted)) return 'up to date';

	const run = (step, ...command) => mustRun(command, { log: `${logDir}/${name}-${step}.log`, verbose });
	if (pythonVersion(venvPython) !== python.version) await run('venv', python.program, '-m', 'venv', '--clear', dir);
	const pip = [venvPython, '-m', 'pip', '--disable-pip-version-check', 'install', '-c', lockFile];
	await install((step, ...what) => run(step, ...pip, ...what));
	writeStamp(stamp, wanted);
}

function lockedTorch() {
	const line = contentOf(lockFile).match(/^torch==[^\s;]+/m);
	if (!line) throw new Error('training/requirements.lock has no line "torch==<version>"');
	return line[0];
}
