/** The native build: cmake-js passes Node's headers (from a package, nothing is downloaded) to the CMake build in build/cmake. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { inRoot, logDir, nativeDir, root } from './paths.mjs';
import { mustRun } from './run-command.mjs';
import { contentOf, fingerprint, hasStamp, writeStamp } from './stamps.mjs';

const stamp = `${nativeDir}/.rankd-stamp`;

/** @param target one CMake target; without it everything is built, tests and tools included */
export async function buildNative({ verbose }, target) {
	const cmakeJs = (command, ...args) => [
		process.execPath,
		inRoot('node_modules', 'cmake-js', 'bin', 'cmake-js'),
		command,
		'--out',
		nativeDir,
		...args,
	];
	await configureOnce((log) => mustRun(cmakeJs('configure'), { log, verbose }));
	const build = cmakeJs('build', '--parallel', String(availableParallelism()), ...(target ? ['--target', target] : []));
	const { output } = await mustRun(build, { log: `${logDir}/native-build.log`, verbose });
	return /^ninja: no work to do/m.test(output) ? 'up to date' : undefined;
}

/** CMake remembers folder, compiler and flags for good; when one of them changed, it starts afresh. Otherwise it updates itself. */
async function configureOnce(configure) {
	const { CC, CXX, CFLAGS, CXXFLAGS, LDFLAGS, ORT_ROOT } = process.env;
	const cmakeJsVersion = contentOf(inRoot('node_modules', 'cmake-js', 'package.json'));
	const wanted = fingerprint(root, cmakeJsVersion, JSON.stringify({ CC, CXX, CFLAGS, CXXFLAGS, LDFLAGS, ORT_ROOT }));
	if (hasStamp(stamp, wanted)) return;
	rmSync(nativeDir, { recursive: true, force: true });
	await configure(`${logDir}/native-configure.log`);
	writeStamp(stamp, wanted);
}
