/** Whether what lies in a folder is still what was loaded. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../errors.js';

/**
 * Changes with any file of the folder and the folders in it: replaced, rewritten or touched. Nothing is read, so that looking often is
 * cheap. Hidden names are passed over, and so is what a link to a folder leads to.
 * @param isCounted names of the folder itself that count; default: all
 */
export function fingerprintOf(folder: string, isCounted: (entry: Dirent) => boolean = () => true): string {
	const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.') && isCounted(entry));
	return entries
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.map((entry) => {
			const path = join(folder, entry.name);
			const file = statSync(path, { throwIfNoEntry: false });
			const within = entry.isDirectory() ? `\n${fingerprintOf(path)}` : '';
			return `${path} ${file?.ino} ${file?.size} ${file?.mtimeMs}${within}`;
		})
		.join('\n');
}

/** A bundle serves under the name in its manifest, so a folder with another name would replace what it does not mean. @throws EngineError `BUNDLE_INVALID` */
export function checkIdentity(folder: string, name: string, version: string): void {
	const manifest = readIdentity(join(folder, 'manifest.json'));
	if (manifest === undefined || (manifest.name === name && manifest.version === version)) return;
	const message = `manifest.json is of ${manifest.name} ${manifest.version}, but its folder is that of ${name} ${version}`;
	throw new EngineError('BUNDLE_INVALID', message);
}

/** Undefined where the engine will say what is wrong with the file. */
function readIdentity(path: string): { name?: unknown; version?: unknown } | undefined {
	try {
		return Object(JSON.parse(readFileSync(path, 'utf8'))) as object;
	} catch {
		return undefined;
	}
}
