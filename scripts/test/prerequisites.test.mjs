import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOlder, nodeProblem } from '../setup/prerequisites.mjs';

const node20 = { platform: 'linux', arch: 'x64', version: '20.20.2', abi: '115', glibc: '2.36' };

test('Node 20 runs on every glibc from 2.28', () => {
	assert.equal(nodeProblem(node20), undefined);
	assert.match(nodeProblem({ ...node20, glibc: '2.17' }), /needs glibc 2\.28 .* has 2\.17/);
});

test('Node 22 on an older glibc is told to be Node 20', () => {
	const problem = nodeProblem({ ...node20, version: '22.20.0', abi: '127' });
	assert.match(problem, /Node 22 needs glibc 2\.38 or newer, and this system has 2\.36: use Node 20 \(20\.17 or newer\)\./);
	assert.equal(nodeProblem({ ...node20, version: '22.20.0', abi: '127', glibc: '2.39' }), undefined);
});

test('an unsupported Node hears which ones run here', () => {
	assert.match(
		nodeProblem({ ...node20, version: '18.20.0', abi: '108' }),
		/^Node 18\.20\.0 will not do: use Node 20 \(20\.17 or newer\)\.$/,
	);
	assert.match(nodeProblem({ ...node20, version: '20.9.0' }), /^Node 20\.9\.0 will not do/);
	assert.match(nodeProblem({ ...node20, version: '23.1.0', abi: '131', glibc: '2.40' }), /use Node 20 .*, 22 .*, 24 or 25\.$/);
});

test('musl and other systems are named', () => {
	assert.match(nodeProblem({ ...node20, glibc: undefined }), /musl/);
	assert.match(nodeProblem({ ...node20, platform: 'darwin', arch: 'arm64' }), /this is darwin arm64/);
});

test('versions are compared by number, as far as both go', () => {
	assert.equal(isOlder('2.9', '2.28'), true);
	assert.equal(isOlder('3.25.1', '3.22'), false);
	assert.equal(isOlder('3.22', '3.22'), false);
	assert.equal(isOlder('20.9.0', '20.17'), true);
});
