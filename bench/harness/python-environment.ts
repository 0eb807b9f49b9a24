/** Python environments of the bench's own, one folder each, exactly the pinned versions, installed once. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.js';

export interface PythonEnvironment {
	/** For progress lines. */
	name: string;
	folder: string;
	/** Exact pins, `numpy==2.4.6`. */
	packages: readonly string[];
}

/** Creates the environment when it is missing or its pins changed. @returns its Python. @throws with pip's own last words */
export async function pythonEnvironment({ name, folder, packages }: PythonEnvironment, progress: (text: string) => void): Promise<string> {
	const python = join(folder, 'bin', 'python');
	const stamp = join(folder, 'pins.txt');
	const pins = `${packages.join('\n')}\n`;
	if (existsSync(stamp) && existsSync(python) && readFileSync(stamp, 'utf8') === pins) return python;
	progress(`${name}: installing ${packages.join(' ')}`);
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	await runTool([process.env['PYTHON'] ?? 'python3', '-m', 'venv', folder]);
	await runTool([python, '-m', 'pip', '--disable-pip-version-check', '--no-input', 'install', ...packages]);
	writeFileSync(stamp, pins);
	return python;
}
