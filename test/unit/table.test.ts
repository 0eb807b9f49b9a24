/** Tables of the command line. */
import { expect, test } from 'vitest';
import { table } from '../../src/cli/table.js';

test('columns are as wide as their widest cell, numbers stand to the right', () => {
	const text = table(
		['#', 'item', 'score'],
		[
			[1, 'cmake', 0.5],
			[10, 'libboost-dev', 12.25],
		],
	);
	expect(text.split('\n')).toEqual(['#   item          score', ' 1  cmake           0.5', '10  libboost-dev  12.25']);
});

test('a table without rows is its headings', () => expect(table(['a', 'b'], [])).toBe('a  b'));
