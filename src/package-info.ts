/** Name and version of this package, from the one place that has them. */
import { readFileSync } from 'node:fs';

interface PackageInfo {
	name: string;
	version: string;
}

export const packageInfo = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageInfo;
