/** Slips of the pen are recognised, other words are not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearestWord } from '../../src/config/did-you-mean.js';

test('the nearest known word is offered', () => {
	expect(nearestWord('htpp_port', ['host', 'http_port'])).toBe('http_port');
	expect(didYouMean('queue_capacty', ['queue_capacity'])).toBe(' Did you mean "queue_capacity"?');
});

test('a word far from all others gets no offer', () => {
	expect(didYouMean('banana', ['host', 'http_port'])).toBe('');
	expect(nearestWord('x', [])).toBeUndefined();
});

test('editing distance is a metric', () => {
	const word = fc.string({ maxLength: 8 });
	fc.assert(
		fc.property(word, word, word, (a, b, c) => {
			expect(editDistance(a, a)).toBe(0);
			expect(editDistance(a, b)).toBe(editDistance(b, a));
			expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
		}),
	);
});
