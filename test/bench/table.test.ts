/** Tables for people. */
import { expect, test } from 'vitest';
import { checksAsTable, numberText, rowsAsTable } from '../../bench/harness/table.js';

test('columns line up, numbers stand to the right, what is missing is a dash', () => {
	const text = rowsAsTable([
		{ way: 'rpc', 'answers/s': 123_456.7, 'p50 ms': 0.12345, note: null },
		{ way: 'http json', 'answers/s': 9, 'p50 ms': null, note: 'a|b' },
	]);
	expect(text.split('\n')).toEqual([
		'| way       | answers/s | p50 ms | note |',
		'|-----------|----------:|-------:|------|',
		'| rpc       |   123,457 |  0.123 | –    |',
		'| http json |         9 |      – | a\\|b |',
	]);
});

test('checks say ok or NOT OK', () => {
	const check = { name: 'x', value: 0.5, unit: 's', target: '<= 1' };
	expect(checksAsTable([{ ...check, ok: true }])).toMatch(/\| ok +\|$/);
	expect(checksAsTable([{ ...check, ok: false }])).toMatch(/\| NOT OK +\|$/);
	expect(checksAsTable([])).toBe('(no checks)');
});

test('no rows are said to be none', () => expect(rowsAsTable([])).toBe('(no rows)'));

test.each([
	[0, '0'],
	[0.00012345, '0.000123'],
	[99.94, '99.9'],
	[100.4, '100'],
	[1_234_567, '1,234,567'],
	[-0.5, '-0.5'],
	[Number.NaN, 'NaN'],
])('%d is written %s', (value, text) => expect(numberText(value)).toBe(text));
