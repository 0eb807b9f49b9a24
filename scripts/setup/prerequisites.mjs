/** What a machine must bring itself. Everything that is missing is told at once, with the command that installs it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { nativeDir } from './paths.mjs';

/** Node's binary interface -> oldest glibc under which all our binaries load: uWebSockets' decide, for Node 20 ONNX Runtime's does. */
const glibcForNode = {
	115: { node: '20', minor: 17, glibc: '2.28' },
	127: { node: '22', minor: 9, glibc: '2.38' },
	137: { node: '24', minor: 0, glibc: '2.38' },
	141: { node: '25', minor: 0, glibc: '2.38' },
};
const oldest = { cmake: '3.22', python: '3.11' };

/** @throws SetupFailure that lists everything the steps lack */
export function checkPrerequisites(steps) {
	const builds = steps.includes('native') || steps.includes('addon');
	const problems = [nodeProblem(thisNode())];
	if (builds) problems.push(cmakeProblem());
	if (builds && !existsSync(`${nativeDir}/CMakeCache.txt`)) problems.push(compilerProblem(), buildToolProblem());
	if (steps.includes('python') || steps.includes('conformance')) problems.push(pythonProblem());
	const found = problems.filter((problem) => problem !== undefined);
	if (found.length > 0) throw new SetupFailure(`Something is missing on this machine:\n${found.map((text) => `  - ${text}`).join('\n')}`);
}

export function thisNode() {
	const { platform, arch, versions } = process;
	return { platform, arch, version: versions.node, abi: versions.modules, glibc: process.report.getReport().header.glibcVersionRuntime };
}

/** Why the addon and uWebSockets cannot load into this Node, or undefined when they can. */
export function nodeProblem({ platform, arch, version, abi, glibc }) {
	if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
		return `rankd runs on Linux, x64 or arm64; this is ${platform} ${arch}. Use a container, for example node:20-bookworm.`;
	}
	if (glibc === undefined) {
		return 'This Node is built for musl (Alpine); uWebSockets and ONNX Runtime need glibc. Use Debian, Ubuntu or Fedora, for example the image node:20-bookworm.';
	}
	const known = glibcForNode[abi];
	if (!known || isOlder(version, `${known.node}.${known.minor}`)) {
		return `Node ${version} will not do: use Node ${suitableNodes(glibc)}.`;
	}
	if (isOlder(glibc, known.glibc)) {
		return `uWebSockets for Node ${known.node} needs glibc ${known.glibc} or newer, and this system has ${glibc}: use Node ${suitableNodes(glibc)}.`;
	}
	return undefined;
}

function suitableNodes(glibc) {
	const runs = Object.values(glibcForNode).filter((entry) => !isOlder(glibc, entry.glibc));
	const names = (runs.length > 0 ? runs : Object.values(glibcForNode)).map(({ node, minor }) =>
		minor > 0 ? `${node} (${node}.${minor} or newer)` : node,
	);
	const system = runs.length > 0 ? '' : ` on a system with glibc ${glibcForNode[115].glibc} or newer (this one has ${glibc})`;
	return names.join(', ').replace(/, ([^,]*)$/, ' or $1') + system;
}

function cmakeProblem() {
	const found = firstMatch(['cmake', '--version'], /version (\d+\.\d+)/);
	if (found && !isOlder(found, oldest.cmake)) return undefined;
	return `CMake ${oldest.cmake} or newer (${found ? `found ${found}` : 'not found'}): apt-get install cmake, or dnf install cmake, or pip install cmake`;
}

/** Compiles a file that uses C++20, with the compiler that CMake would take. */
function compilerProblem() {
	const source =
		'#include <concepts>\n#include <span>\ntemplate <std::integral T> T first(std::span<T> s) { return s.front(); }\nint main() { int a[]{0}; return first(std::span<int>(a)); }\n';
	const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
	const compiler = candidates.find((name) => run([name, '--version']).status === 0);
	const install = 'apt-get install g++, or dnf install gcc-c++ (g++ 11 or clang 14, or newer)';
	if (!compiler) return `A C++20 compiler (none of ${candidates.join(', ')} runs): ${install}`;
	const { status, stderr } = run([compiler, '-std=c++20', '-x', 'c++', '-', '-fsyntax-only'], source);
	return status === 0 ? undefined : `A C++20 compiler (${compiler} refuses a C++20 program: ${stderr.split('\n')[0]}): ${install}`;
}

function buildToolProblem() {
	const has = ['ninja', 'make'].some((tool) => run([tool, '--version']).status === 0);
	return has ? undefined : 'Ninja or make: apt-get install ninja-build, or dnf install ninja-build';
}

function pythonProblem() {
	const { program, version, hasVenv } = findPython();
	const install = 'apt-get install python3 python3-venv, or dnf install python3; PYTHON=/path/to/python3 chooses one';
	if (!program)
		return `Python ${oldest.python} or newer, for training and the tests of Python code (${version ? `found ${version}` : 'not found'}): ${install}`;
	return hasVenv ? undefined : `Python's venv module (${program}, ${version}, comes without it): apt-get install python3-venv`;
}

/** The first Python that is new enough: $PYTHON, python3, or one that carries its version in its name. */
export function findPython() {
	const candidates = process.env.PYTHON ? [process.env.PYTHON] : ['python3', 'python3.13', 'python3.12', 'python3.11'];
	let tooOld;
	for (const program of candidates) {
		const version = pythonVersion(program);
		if (!version) continue;
		if (!isOlder(version, oldest.python)) return { program, version, hasVenv: run([program, '-c', 'import venv, ensurepip']).status === 0 };
		tooOld ??= version;
	}
	return { version: tooOld };
}

/** The version of a Python, or undefined when it does not run. */
export const pythonVersion = (program) =>
	firstMatch([program, '-c', 'import platform; print(platform.python_version())'], /^(\d+\.\d+\.\d+)/);

/** Compares dotted numbers: isOlder('2.9', '2.28'). */
export function isOlder(version, than) {
	const [left, right] = [version, than].map((text) => text.split('.').map(Number));
	const at = right.findIndex((part, i) => (left[i] ?? 0) !== part);
	return at >= 0 && (left[at] ?? 0) < right[at];
}

function firstMatch(command, pattern) {
	const { status, stdout } = run(command);
	return status === 0 ? stdout.match(pattern)?.[1] : undefined;
}

const run = ([program, ...args], input = '') => spawnSync(program, args, { input, encoding: 'utf8' });
