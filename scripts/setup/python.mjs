/** The Python environment of the training companion, in training/.venv: exactly the locked versions. */
import { inRoot, logDir, venvDir } from './paths.mjs';
import { findPython, pythonVersion } from './prerequisites.mjs';
import { mustRun } from './run-command.mjs';
import { contentOf, fingerprint, hasStamp, writeStamp } from './stamps.mjs';

const lockFile = inRoot('training', 'requirements.lock');
const stamp = `${venvDir}/.rankd-stamp`;
const venvPython = `${venvDir}/bin/python`;

export async function installPython({ verbose }) {
	const python = findPython();
	const wanted = fingerprint(contentOf(lockFile), contentOf(inRoot('training', 'pyproject.toml')), python.version, venvDir);
	if (hasStamp(stamp, wanted)) return 'up to date';

	const run = (name, ...command) => mustRun(command, { log: `${logDir}/python-${name}.log`, verbose });
	if (pythonVersion(venvPython) !== python.version) await run('venv', python.program, '-m', 'venv', '--clear', venvDir);
	const pip = [venvPython, '-m', 'pip', '--disable-pip-version-check', 'install'];
	// torch first and alone: with it in place nothing that depends on it asks for another build.
	await run('torch', ...pip, lockedTorch());
	await run('packages', ...pip, '-r', lockFile);
	await run('rankd-train', ...pip, '--no-deps', '-e', inRoot('training'));
	writeStamp(stamp, wanted);
}

function lockedTorch() {
	const line = contentOf(lockFile).match(/^torch==[^\s;]+/m);
	if (!line) throw new Error('training/requirements.lock has no line "torch==<version>"');
	return line[0];
}
