/** What the numbers were measured on and with. Nothing here names a person, a host or a folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { arch, release, totalmem } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Engine } from '../../src/native/engine.js';
import { inRoot, root } from './paths.js';

export interface Machine {
	processor: string;
	/** Of the features that decide which kernels can run, those that are there. */
	features: string[];
	/** Cores granted to the bench. */
	cores: number;
	virtual: boolean;
	memory_gib: number;
	kernel: string;
	glibc: string;
	/** Of the frequency governor; null where the machine does not tell. */
	governor: string | null;
}

const notable = [
	...['avx2', 'fma', 'avx512f', 'avx512bw', 'avx512vl', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16', 'avx_vnni'],
	...['amx_tile', 'amx_int8', 'amx_bf16', 'asimd', 'asimddp', 'sve', 'i8mm', 'bf16'],
];

export function describeMachine(cores: number): Machine {
	const cpu = readText('/proc/cpuinfo');
	const flags = new Set((cpu.match(/^(?:flags|Features)\s*:\s*(.*)$/m)?.[1] ?? '').split(' '));
	const header = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
	return {
		processor: cpu.match(/^model name\s*:\s*(.*)$/m)?.[1] ?? arch(),
		features: notable.filter((feature) => flags.has(feature)),
		cores,
		virtual: flags.has('hypervisor'),
		memory_gib: Math.round(totalmem() / 2 ** 30),
		kernel: release(),
		glibc: header.header.glibcVersionRuntime ?? 'unknown',
		governor: readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor').trim() || null,
	};
}

export async function describeVersions(): Promise<Record<string, string>> {
	return {
		rankd: packageVersion(),
		node: process.versions.node,
		onnxruntime: await onnxruntimeVersion(),
		compiler: compilerVersion(),
		uWebSockets: packageVersion('node_modules', 'uWebSockets.js'),
	};
}

/** The commit that was measured; `-dirty` when the tree differs from it in more than earlier results. */
export function describeCommit(): string {
	const commit = git('rev-parse', '--short=12', 'HEAD');
	if (commit === undefined) return 'unknown';
	return git('status', '--porcelain', '--', '.', ':!bench/results') === '' ? commit : `${commit}-dirty`;
}

function git(...args: string[]): string | undefined {
	const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
	return status === 0 ? stdout.trim() : undefined;
}

function packageVersion(...folder: string[]): string {
	const text = readText(inRoot(...folder, 'package.json'));
	return text === '' ? 'unknown' : (JSON.parse(text) as { version: string }).version;
}

/** The one that serves tells its own version. */
async function onnxruntimeVersion(): Promise<string> {
	try {
		const built = (await import(pathToFileURL(inRoot('dist', 'native', 'engine.js')).href)) as { Engine: typeof Engine };
		const engine = built.Engine.create({ computeThreads: 0 });
		const { onnxruntime } = engine.stats();
		await engine.close();
		return onnxruntime;
	} catch {
		return 'unknown';
	}
}

/** As CMake found it, for example `GNU 12.2.0`. */
function compilerVersion(): string {
	const folder = inRoot('build', 'cmake', 'CMakeFiles');
	const names = existsSync(folder) ? readdirSync(folder) : [];
	const text = names.map((name) => readText(`${folder}/${name}/CMakeCXXCompiler.cmake`)).join('\n');
	const value = (name: string) => text.match(new RegExp(`^set\\(CMAKE_CXX_COMPILER_${name} "([^"]*)"\\)`, 'm'))?.[1];
	return `${value('ID') ?? 'unknown'} ${value('VERSION') ?? ''}`.trim();
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
