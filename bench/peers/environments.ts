/** What the peers need beside Python and Node, pinned here and nowhere else; each environment is installed once, in build/bench/peers/. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../harness/paths.js';
import { pythonEnvironment } from '../harness/python-environment.js';
import { runTool } from '../harness/run-tool.js';

export type EnvironmentName = 'fastapi' | 'litserve' | 'mlserver' | 'node';

/** The same ONNX Runtime as rankd's everywhere. MLServer and LitServe leave uvicorn's fast parser to the user: it is installed too. */
const runtime = { onnxruntime: '1.29.0', numpy: '2.4.6' };
const web = { uvicorn: '0.54.0', uvloop: '0.23.0', httptools: '0.9.0' };
const pins: Record<EnvironmentName, Record<string, string>> = {
	fastapi: { fastapi: '0.165.0', pydantic: '2.14.3', starlette: '1.10.0', ...web, ...runtime },
	litserve: { litserve: '0.2.19', fastapi: '0.165.0', pyzmq: '27.3.0', ...web, ...runtime },
	// Its last release asks for a FastAPI of its time.
	mlserver: { mlserver: '1.7.1', fastapi: '0.115.14', ...web, ...runtime },
	// uWebSockets.js comes from the repackaging that rankd itself uses.
	node: { fastify: '5.12.8', 'onnxruntime-node': '1.29.0', 'uWebSockets.js': 'npm:uwebsockets@3.0.6' },
};
const OLDEST_PYTHON = [3, 11] as const;

export interface Environment {
	folder: string;
	/** Python, or Node. */
	program: string;
	/** As installed, for example `fastapi 0.165.0, …`. */
	versions: string;
}

/** Installs what is missing or pinned anew. @throws Error with the package manager's last words */
export async function environment(name: EnvironmentName, progress: (text: string) => void): Promise<Environment> {
	const folder = inRoot('build', 'bench', 'peers', name);
	return name === 'node' ? await nodeEnvironment(folder, progress) : await python(name, folder, progress);
}

async function python(name: EnvironmentName, folder: string, progress: (text: string) => void): Promise<Environment> {
	await checkPython();
	const packages = Object.entries(pins[name]).map(([library, version]) => `${library}==${version}`);
	const program = await pythonEnvironment({ name, folder, packages }, progress);
	const list = JSON.parse(await runTool([program, '-m', 'pip', '--disable-pip-version-check', 'list', '--format=json']));
	const installed = new Map((list as { name: string; version: string }[]).map((found) => [found.name, found.version]));
	const version = (await runTool([program, '-c', 'import platform; print(platform.python_version())'])).trim();
	return { folder, program, versions: [`Python ${version}`, ...listed(name, (library) => installed.get(library))].join(', ') };
}

/** ONNX Runtime 1.29 has no wheels for older Pythons; pip would say so in a hundred lines. */
async function checkPython(): Promise<void> {
	const program = process.env['PYTHON'] ?? 'python3';
	const found = await runTool([program, '-c', 'import sys; print(*sys.version_info[:2])']);
	const [major = 0, minor = 0] = found.trim().split(' ').map(Number);
	if (major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1])) return;
	throw new Error(
		`the Python peers need Python ${OLDEST_PYTHON.join('.')} or newer, ${program} is ${major}.${minor}: set PYTHON to another`,
	);
}

async function nodeEnvironment(folder: string, progress: (text: string) => void): Promise<Environment> {
	const manifest = `${JSON.stringify({ private: true, type: 'module', dependencies: pins.node }, undefined, '\t')}\n`;
	const stamp = join(folder, 'pins.txt');
	if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== manifest) {
		progress(`node: installing ${Object.keys(pins.node).join(' ')}`);
		rmSync(folder, { recursive: true, force: true });
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, 'package.json'), manifest);
		await runTool(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder });
		writeFileSync(stamp, manifest);
	}
	// Imports are resolved from where a module lies: the servers run beside their packages.
	const source = inRoot('bench', 'peers', 'node');
	for (const file of readdirSync(source)) copyFileSync(join(source, file), join(folder, file));
	const versionOf = (library: string) => JSON.parse(readFileSync(join(folder, 'node_modules', library, 'package.json'), 'utf8')).version;
	return { folder, program: process.execPath, versions: [`Node ${process.versions.node}`, ...listed('node', versionOf)].join(', ') };
}

const listed = (name: EnvironmentName, versionOf: (library: string) => string | undefined): string[] =>
	Object.keys(pins[name]).map((library) => `${library} ${versionOf(library) ?? 'not installed'}`);

/** Whether the environment stands, with these very pins. */
export function isInstalled(name: EnvironmentName): boolean {
	return existsSync(inRoot('build', 'bench', 'peers', name, 'pins.txt'));
}
