/** Every lane of tests: the question it answers, the set-up it needs, and its commands. */
import { inRoot, nativeDir } from '../setup/paths.mjs';
import { check, cmakeBuild, ctest, nodeTest, npmTool, pytest, pythonTool, runs, script, vitest } from './commands.mjs';

/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string[]} command
 * @property {object} [env]     added to the environment
 * @property {string} [cwd]     default: the project's root
 * @property {string} [report]  file that the command writes and `count` reads
 * @property {Function} [count] reads the counts; a command without it only prepares, and must succeed
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} asks
 * @property {string[]} needs   steps of scripts/setup/steps.mjs, beside the npm packages
 * @property {boolean} [slow]   not part of `npm test`; `npm run test:slow` and CI run it
 * @property {() => string | undefined} [skip]  why it cannot run here: it counts as one skipped test
 * @property {() => Command[]} commands
 */

const sanitized = inRoot('build', 'asan');
const sanitizerOptions = {
	UBSAN_OPTIONS: 'print_stacktrace=1',
	LSAN_OPTIONS: `suppressions=${inRoot('scripts', 'test', 'leaks.supp')}:print_suppressions=0`,
};
const raced = inRoot('build', 'tsan');
/** engine_test runs the threads; index_test builds graphs on one thread for ten minutes under this sanitizer, and stays out. */
const threaded = ['engine_test', 'scheduling_test', 'store_test', 'wire_test'];
const fuzzed = inRoot('build', 'fuzz');
const training = inRoot('training');
const pythonClient = inRoot('clients', 'python');
const conformance = inRoot('test', 'conformance');
const pythonTests = [pythonClient, conformance, inRoot('test', 'support')];

/** @type {Lane[]} */
export const lanes = [
	{
		name: 'lint',
		asks: 'Is the code in form, and do the arrows point inwards?',
		needs: [],
		commands: () => [
			check('biome', npmTool('biome'), 'check', '--error-on-warnings', '.'),
			check('tsc', npmTool('tsc'), '-p', 'tsconfig.test.json'),
			check('clang-format', ...script('clang-format.mjs')),
			check('arrows', ...script('check-arrows.mjs')),
		],
	},
	{
		name: 'scripts',
		asks: 'Are the build scripts right?',
		needs: [],
		commands: () => [nodeTest('arrows', 'counts', 'lock', 'prerequisites', 'run-command')],
	},
	{ name: 'native', asks: 'Is the C++ right alone?', needs: ['native'], commands: () => [ctest(nativeDir)] },
	{ name: 'unit', asks: 'Is each TypeScript module right alone?', needs: ['typescript'], commands: () => [vitest('unit')] },
	{ name: 'types', asks: 'Does the API infer well?', needs: ['typescript'], commands: () => [vitest('types')] },
	{ name: 'addon', asks: 'Does the raw binding keep its contract?', needs: ['native', 'typescript'], commands: () => [vitest('addon')] },
	{ name: 'golden', asks: 'Same numbers as training?', needs: ['native', 'typescript'], commands: () => [vitest('golden')] },
	{ name: 'server', asks: 'Does a client see what the docs promise?', needs: ['native', 'typescript'], commands: () => [vitest('server')] },
	{ name: 'bench', asks: 'Does the bench tell the truth?', needs: ['native', 'typescript', 'bench'], commands: () => [vitest('bench')] },
	{
		name: 'training',
		asks: 'Is the Python companion right?',
		needs: ['native', 'typescript', 'python'],
		commands: () => [
			{ ...check('ruff', pythonTool('ruff'), 'check', '.'), cwd: training },
			{ ...check('ruff-format', pythonTool('ruff'), 'format', '--check', '.'), cwd: training },
			pytest({ cwd: training }),
		],
	},
	{
		name: 'python-client',
		asks: 'Does a Python caller see what the docs promise?',
		needs: ['addon', 'typescript', 'python'],
		commands: () => [
			check('ruff', pythonTool('ruff'), 'check', ...pythonTests),
			check('ruff-format', pythonTool('ruff'), 'format', '--check', ...pythonTests),
			{ ...check('mypy', pythonTool('mypy')), cwd: pythonClient },
			pytest({ cwd: pythonClient }),
		],
	},
	{
		name: 'asan',
		slow: true,
		asks: 'Does the C++ keep to its memory and to the language?',
		needs: [],
		commands: () => [...cmakeBuild(sanitized, ['-DRANKD_SANITIZE=address,undefined']), ctest(sanitized, { env: sanitizerOptions })],
	},
	{
		name: 'tsan',
		slow: true,
		asks: 'Are the threads free of races? (a fake session: ONNX Runtime is not instrumented)',
		needs: [],
		commands: () => [
			...cmakeBuild(raced, ['-DRANKD_SANITIZE=thread'], threaded),
			ctest(raced, { only: `^(${threaded.join('|')})$`, env: { RANKD_TEST_NO_ORT: '1' } }),
		],
	},
	{
		name: 'fuzz',
		slow: true,
		asks: 'Does the reader of frames survive a minute of libFuzzer?',
		needs: [],
		skip: () => (runs('clang++') ? undefined : 'clang++ is not installed, and g++ has no libFuzzer'),
		commands: () => [
			...cmakeBuild(fuzzed, ['-DCMAKE_CXX_COMPILER=clang++', '-DRANKD_FUZZERS=ON', '-DRANKD_SANITIZE=address,undefined'], ['fuzz_wire']),
			{ name: 'folder', command: ['mkdir', '-p', `${fuzzed}/found`] },
			check('fuzz_wire', `${fuzzed}/fuzz_wire`, '-max_total_time=60', `${fuzzed}/found`, inRoot('native', 'fuzz', 'corpus', 'wire')),
		],
	},
	{
		name: 'conformance',
		slow: true,
		asks: "Do Triton's and KServe's own clients find what they expect?",
		needs: ['addon', 'typescript', 'conformance'],
		commands: () => [
			pytest({ cwd: conformance, venv: `${conformance}/.venv`, name: 'tritonclient', args: ['--ignore=test_kserve.py'] }),
			pytest({ cwd: conformance, venv: `${conformance}/.venv`, name: 'kserve', args: ['test_kserve.py'] }),
		],
	},
	{ name: 'stress', slow: true, asks: 'Does it last?', needs: ['native', 'typescript'], commands: () => [vitest('stress')] },
];
