/** The project's folders, from source and from build/bench/js alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(folder: string): string {
	return existsSync(join(folder, 'CMakeLists.txt')) ? folder : findRoot(dirname(folder));
}

export const root = findRoot(dirname(fileURLToPath(import.meta.url)));
export const inRoot = (...parts: string[]): string => join(root, ...parts);
