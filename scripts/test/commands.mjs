/** The commands that lanes are made of. A command with `count` holds tests; one without only prepares. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { inRoot, root, venvDir } from '../setup/paths.mjs';
import { asOne, fromCtest, fromJunit, fromNodeTest, fromVitest } from './counts.mjs';

export const reportDir = inRoot('build', 'test');
const parallel = ['--parallel', String(availableParallelism())];

/** A check whose exit code says it all: one test. */
export const check = (name, ...command) => ({ name, command, count: asOne });

/** A tool from the npm packages. */
export const npmTool = (name) => inRoot('node_modules', '.bin', name);

/** A script of ours. */
export const script = (path) => [process.execPath, inRoot('scripts', path)];

export const runs = (program) => spawnSync(program, ['--version']).status === 0;

/**
 * Configures a build folder without the addon and builds in it.
 * @param settings  CMake's -D arguments
 * @param targets   what to build, instead of everything
 */
export function cmakeBuild(dir, settings, targets = []) {
	const generator = runs('ninja') ? ['-G', 'Ninja'] : [];
	const options = [...generator, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DRANKD_ADDON=OFF', ...settings];
	const chosen = targets.length > 0 ? ['--target', ...targets] : [];
	return [
		{ name: 'configure', command: ['cmake', '-S', root, '-B', dir, ...options] },
		{ name: 'build', command: ['cmake', '--build', dir, ...parallel, ...chosen] },
	];
}

/**
 * The native test programs of a build folder.
 * @param only  a regular expression: the programs to run, instead of all
 */
export function ctest(dir, { only, env } = {}) {
	const report = `${dir}/tests.xml`;
	const output = ['--output-on-failure', '--output-junit', report, '--test-output-size-passed', '1000000'];
	const filter = only ? ['-R', only] : [];
	return {
		name: 'ctest',
		command: ['ctest', '--test-dir', dir, '--timeout', '600', ...parallel, ...output, ...filter],
		env,
		report,
		count: fromCtest(report),
	};
}

/** The test files of one folder under test/. */
export function vitest(folder) {
	const report = `${reportDir}/${folder}.json`;
	const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
	return { name: 'vitest', command: [npmTool('vitest'), 'run', `test/${folder}/`, ...reporters], report, count: fromVitest(report) };
}

/** A tool of the environment of our Python packages. */
export const pythonTool = (name) => `${venvDir}/bin/${name}`;

/**
 * The tests of one folder.
 * @param cwd   where its pytest settings are
 * @param venv  the environment that runs them
 * @param name  tells two commands of one lane apart
 * @param args  more arguments of pytest
 */
export function pytest({ cwd, venv = venvDir, name = 'pytest', args = [] }) {
	const report = `${reportDir}/${relative(root, cwd).replaceAll('/', '-')}-${name}.xml`;
	return {
		name,
		command: [`${venv}/bin/python`, '-m', 'pytest', '-q', `--junitxml=${report}`, ...args],
		cwd,
		report,
		count: fromJunit(report),
	};
}

/** Tests of the scripts, by Node's own runner: scripts/test/<name>.test.mjs. */
export function nodeTest(...names) {
	const files = names.map((name) => inRoot('scripts', 'test', `${name}.test.mjs`));
	return { name: 'node', command: [process.execPath, '--test', '--test-reporter=spec', ...files], count: fromNodeTest };
}
