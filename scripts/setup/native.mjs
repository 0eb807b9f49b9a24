/** The native build: cmake-js passes Node's headers (from a package, nothing is downloaded) to the CMake build in build/cmake. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { inRoot, logDir, nativeDir, root } from './paths.mjs';
import { mustRun } from './run-command.mjs';
import { contentOf, fingerprint, hasStamp, writeStamp } from './stamps.mjs';

const stamp = `${nativeDir}/.rankd-stamp`;
const cmakeJs = [process.execPath, inRoot('node_modules', 'cmake-js', 'bin', 'cmake-js')];
const configure = [
	...cmakeJs,
	'configure',
	'--out',
	nativeDir,
	// The addon lies beside the ONNX Runtime library that it loads, as in a build by plain CMake.
	`--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${nativeDir}`,
	// Elsewhere another compiler may warn of something that CI's does not.
	`--CDRANKD_WERROR=${process.env.CI ? 'ON' : 'OFF'}`,
];
const build = [...cmakeJs, 'build', '--out', nativeDir, '--parallel', String(availableParallelism())];

/** @param targets CMake targets; without any everything is built, tests and tools included */
export async function buildNative({ verbose, out }, ...targets) {
	await configureOnce({ verbose, out });
	// cmake-js passes on one target at a time.
	const commands = targets.length > 0 ? targets.map((target) => [...build, '--target', target]) : [build];
	let isUpToDate = true;
	for (const command of commands) {
		const { output } = await mustRun(command, { log: `${logDir}/native-build.log`, verbose, out });
		isUpToDate &&= /^ninja: no work to do/m.test(output);
	}
	return isUpToDate ? 'up to date' : undefined;
}

/** CMake remembers folder, compiler and flags for good; when one of them changed, it starts afresh. Otherwise it updates itself. */
async function configureOnce({ verbose, out }) {
	const { CC, CXX, CFLAGS, CXXFLAGS, LDFLAGS, ORT_ROOT } = process.env;
	const cmakeJsVersion = contentOf(inRoot('node_modules', 'cmake-js', 'package.json'));
	const wanted = fingerprint(root, cmakeJsVersion, configure.join(' '), JSON.stringify({ CC, CXX, CFLAGS, CXXFLAGS, LDFLAGS, ORT_ROOT }));
	if (hasStamp(stamp, wanted)) return;
	rmSync(nativeDir, { recursive: true, force: true });
	await mustRun(configure, { log: `${logDir}/native-configure.log`, verbose, out });
	writeStamp(stamp, wanted);
}
