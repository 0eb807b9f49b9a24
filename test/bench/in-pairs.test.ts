/** Pairs at shares of a peak. */
import { expect, test } from 'vitest';
import { inPairs } from '../../bench/harness/in-pairs.js';

test('both conditions are measured at every share in every round, forwards and backwards', async () => {
	const order: string[] = [];
	const condition = (name: string) => async (share: number, round: number) => {
		order.push(`${name}${share}`);
		return `${name}${share}/${round}`;
	};
	const pairs = await inPairs([0.5, 0.8], 2, { base: condition('a'), changed: condition('b') });
	expect(order).toEqual(['a0.5', 'b0.5', 'a0.8', 'b0.8', 'b0.8', 'a0.8', 'b0.5', 'a0.5']);
	expect(pairs).toEqual([
		{ share: 0.5, base: ['a0.5/0', 'a0.5/1'], changed: ['b0.5/0', 'b0.5/1'] },
		{ share: 0.8, base: ['a0.8/0', 'a0.8/1'], changed: ['b0.8/0', 'b0.8/1'] },
	]);
});
