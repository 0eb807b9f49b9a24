/** A private folder that holds the files a load brings, for as long as the load takes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EngineError } from '../errors.js';

const DEEPEST = 8;

/**
 * Writes the files, works with their folder and removes it, whatever happens.
 * @param files by their path in the model's folder, for example `1/model.onnx`
 * @throws EngineError `INVALID_ARGUMENT` for a path that leaves the folder
 */
export async function withOverrideFolder<T>(files: Readonly<Record<string, Uint8Array>>, work: (folder: string) => Promise<T>): Promise<T> {
	for (const path of Object.keys(files)) check(path);
	// Nobody else may enter it: mkdtemp gives it mode 0700.
	const folder = mkdtempSync(join(tmpdir(), 'rankd-load-'));
	try {
		for (const [path, bytes] of Object.entries(files)) write(folder, path, bytes);
		return await work(folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function check(path: string): void {
	const names = path.split('/');
	const isPlain = (name: string) => name !== '' && name !== '.' && name !== '..' && name.length <= 255 && !/[\\\0]/.test(name);
	if (names.length <= DEEPEST && names.every(isPlain)) return;
	throw new EngineError('INVALID_ARGUMENT', `file:${path} must be a path within the model's folder, such as file:1/model.onnx`);
}

function write(folder: string, path: string, bytes: Uint8Array): void {
	const target = join(folder, path);
	try {
		mkdirSync(dirname(target), { recursive: true });
		writeFileSync(target, bytes, { flag: 'wx' });
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		if (code !== 'ENOTDIR' && code !== 'EEXIST' && code !== 'EISDIR') throw cause;
		throw new EngineError('INVALID_ARGUMENT', `file:${path} is a file and a folder at once`, { cause });
	}
}
