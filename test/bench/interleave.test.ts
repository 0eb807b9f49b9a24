/** Alternatives take turns. */
import { expect, test } from 'vitest';
import { interleave } from '../../bench/harness/interleave.js';

test('two alternatives are measured A B, B A, A B, and their results stay in the order of the rounds', async () => {
	const order: string[] = [];
	const alternative = (name: string) => ({
		name,
		measure: async (round: number) => {
			order.push(name);
			return `${name}${round}`;
		},
	});
	const results = await interleave([alternative('A'), alternative('B')], 3);
	expect(order.join('')).toBe('ABBAAB');
	expect(Object.fromEntries(results)).toEqual({ A: ['A0', 'A1', 'A2'], B: ['B0', 'B1', 'B2'] });
});

test('each of three alternatives is first as often as last over two rounds', async () => {
	const order: string[] = [];
	const alternatives = ['A', 'B', 'C'].map((name) => ({ name, measure: async () => order.push(name) }));
	await interleave(alternatives, 2);
	expect(order.join('')).toBe('ABCCBA');
});

test('what goes wrong in one round ends all', async () => {
	const failing = { name: 'A', measure: () => Promise.reject(new Error('no server')) };
	await expect(interleave([failing], 2)).rejects.toThrow('no server');
});
