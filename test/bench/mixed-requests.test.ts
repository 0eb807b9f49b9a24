/** Small and big requests in one stream. */
import { expect, test } from 'vitest';
import type { Requests } from '../../bench/harness/endpoints.js';
import { mixedRequests } from '../../bench/questions/mixed.js';

const requestsOf = (size: string): Requests => ({
	operation: 'rank',
	target: 'm',
	bodies: Array.from({ length: 10 }, (_, at) => `${size}${at}`),
});

test('big ones come in their share, at places that are the same every time, and are a group of their own', () => {
	const mixed = mixedRequests(requestsOf('small'), requestsOf('big'), 0.03);
	expect(mixed).toEqual(mixedRequests(requestsOf('small'), requestsOf('big'), 0.03));
	const big = mixed.bodies.flatMap((body, place) => (String(body).startsWith('big') ? [place] : []));
	expect(big.length / mixed.bodies.length).toBeCloseTo(0.03, 3);
	expect(mixed.groups?.flatMap((group, place) => (group === 1 ? [place] : []))).toEqual(big);
});

test('there is at least one big one', () => {
	expect(mixedRequests(requestsOf('small'), requestsOf('big'), 1e-9).groups?.filter((group) => group === 1)).toHaveLength(1);
});
