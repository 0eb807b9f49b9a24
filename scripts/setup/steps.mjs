/** The steps from a bare clone to a working checkout, and the one way to run them. */
import { relative } from 'node:path';
import { withLock } from './lock.mjs';
import { buildNative } from './native.mjs';
import { installPackages } from './packages.mjs';
import { inRoot } from './paths.mjs';
import { checkPrerequisites } from './prerequisites.mjs';
import { withProgress } from './progress.mjs';
import { installConformance, installPython } from './python.mjs';
import { buildBench, buildTypeScript } from './typescript.mjs';

/** In the order they run. Parts of `native`: `addon` is what a server needs, `load` what the bench needs beside it, `tool` what training needs. */
const steps = {
	packages: { title: 'npm packages', run: installPackages },
	addon: { title: 'native build', run: (options) => buildNative(options, 'rankd_addon') },
	native: { title: 'native build', run: (options) => buildNative(options) },
	tool: { title: 'bundle tool', run: (options) => buildNative(options, 'rankd-bundle') },
	load: { title: 'native bench', run: (options) => buildNative(options, 'rankd-load', 'bare-run', 'rankd-bundle') },
	typescript: { title: 'TypeScript', run: buildTypeScript },
	bench: { title: 'TypeScript of the bench', run: buildBench },
	python: { title: 'Python environment', run: installPython },
	conformance: { title: 'environment of the real clients', run: installConformance },
};
export const stepNames = Object.keys(steps);

const lockFile = inRoot('build', 'setup.lock');

/** Brings the named parts up to date, in the right order. @throws SetupFailure */
export async function setUp(names, options) {
	const wanted = stepNames.filter((name) => names.includes(name));
	checkPrerequisites(wanted);
	const runAll = async () => {
		for (const [at, name] of wanted.entries()) {
			const { title, run } = steps[name];
			await withProgress(`[${at + 1}/${wanted.length}] ${title}`, options, () => run(options));
		}
	};
	const { out = process.stdout } = options;
	const onWait = (pid) =>
		out.write(
			`Waiting for another set-up of this checkout, process ${pid} (if there is none, remove ${relative(process.cwd(), lockFile)}).\n`,
		);
	await withLock(lockFile, runAll, onWait);
}
