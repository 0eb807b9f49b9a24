/** Paths to routes: the tree finds what comparing a path with every route finds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RouteTree } from '../../src/server/oip/route-tree.js';
import { oipRoutes } from '../../src/server/oip/routes/index.js';

const tree = new RouteTree(oipRoutes);

test.each([
	['/v2/models/stats', '/v2/models/stats', []],
	['/v2/models/stats/infer', '/v2/models/{model}/infer', ['stats']],
	['/v2/models/stats/versions/1/stats', '/v2/models/{model}/versions/{version}/stats', ['stats', '1']],
	['/v2/models/a%2Fb/', '/v2/models/{model}', ['a%2Fb']],
])('%s is %s', (path, expected, values) => {
	const found = tree.find(path);
	expect(found?.endpoints.map(({ route }) => route.path)).toContain(expected);
	expect(found?.values).toEqual(values);
});

/** The literal segments that a route demands at their places; the fewer parameters, the better it fits. */
function bestRoute(path: string): string | undefined {
	const segments = path.split('/').slice(1);
	const fits = (pattern: string): boolean => {
		const wanted = pattern.split('/').slice(1);
		return (
			wanted.length === segments.length &&
			wanted.every((each, at) => each === segments[at] || (each.startsWith('{') && segments[at] !== ''))
		);
	};
	const parameters = (pattern: string): number => pattern.split('{').length;
	return [...new Set(oipRoutes.map((route) => route.path))].filter(fits).sort((a, b) => parameters(a) - parameters(b))[0];
}

const words = [...new Set(oipRoutes.flatMap((route) => route.path.split('/')))].filter((word) => word !== '' && !word.startsWith('{'));

test('any path of known and unknown segments finds the route that fits it best, or none', () => {
	const segment = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, fc.stringMatching(/^[\w%.-]{0,5}$/));
	fc.assert(
		fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
			const path = `/v2/${segments.join('/')}`;
			if (path.endsWith('/')) return;
			expect(tree.find(path)?.endpoints[0]?.route.path).toBe(bestRoute(path));
		}),
		{ numRuns: 2000 },
	);
});
