/** What a start says to a person. */
import { expect, test } from 'vitest';
import { greeting } from '../../src/cli/greeting.js';
import { fakeModel } from '../support/fake-engine.js';

const addresses = { host: '0.0.0.0', httpPort: 8000, grpcPort: 8001, metricsPort: 8002, unixSockets: ['/run/a.sock'] };

test('every address, and a line to paste', () => {
	expect(greeting(addresses, [fakeModel])).toBe(
		[
			'rankd listening on http://127.0.0.1:8000 (tiny@1.0.0)',
			'and on /run/a.sock',
			'gRPC on 127.0.0.1:8001',
			'metrics on http://127.0.0.1:8002/metrics',
			`try: curl -s http://127.0.0.1:8000/v1/recommend/tiny -d '{"k":5}'`,
		].join('\n'),
	);
});

test('nothing of a port that is not allowed', () => {
	const alone = { ...addresses, httpPort: undefined, grpcPort: undefined, metricsPort: undefined };
	expect(greeting(alone, [fakeModel])).toBe('rankd listening (tiny@1.0.0)\nand on /run/a.sock');
});
