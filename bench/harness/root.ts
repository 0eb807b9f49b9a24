/** The checkout that is measured, wherever the bench itself was compiled to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = rootAbove(dirname(fileURLToPath(import.meta.url)));
export const inRoot = (...parts: string[]): string => join(root, ...parts);

function rootAbove(folder: string): string {
	if (existsSync(join(folder, 'CMakeLists.txt'))) return folder;
	const parent = dirname(folder);
	if (parent === folder) throw new Error('the bench lies outside a checkout of rankd: no CMakeLists.txt above it');
	return rootAbove(parent);
}
