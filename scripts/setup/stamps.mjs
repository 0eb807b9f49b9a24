/** Stamps remember what a step was last done for, so that nothing is done twice. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One hash over texts; their borders count, so that ['ab', 'c'] and ['a', 'bc'] differ. */
export function fingerprint(...texts) {
	const hash = createHash('sha256');
	for (const text of texts) hash.update(`${text.length}:${text}`);
	return hash.digest('hex');
}

/** The content of a file, or '' when there is none. */
export const contentOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

export const hasStamp = (file, value) => contentOf(file).trim() === value;

export function writeStamp(file, value) {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `${value}\n`);
}
