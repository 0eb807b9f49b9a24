/** The npm packages, installed when the lock file, the npm settings or the Node binary interface changed since last time. */
import { inRoot, logDir } from './paths.mjs';
import { mustRun } from './run-command.mjs';
import { contentOf, fingerprint, hasStamp, writeStamp } from './stamps.mjs';

const stamp = inRoot('node_modules', '.rankd-stamp');

export async function installPackages({ verbose, out }) {
	const { platform, arch, versions } = process;
	const wanted = fingerprint(contentOf(inRoot('package-lock.json')), contentOf(inRoot('.npmrc')), platform, arch, versions.modules);
	if (hasStamp(stamp, wanted)) return 'up to date';
	// The build needs the development packages too, whatever NODE_ENV says.
	await mustRun(['npm', 'ci', '--include=dev'], { log: `${logDir}/packages.log`, verbose, out });
	writeStamp(stamp, wanted);
}
