/** Pictures are well-formed and show what they are given. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisOf } from '../../bench/harness/axis.js';
import { picture } from '../../bench/harness/picture.js';
import type { Chart } from '../../bench/harness/question.js';

const heading = { title: 'rank & <friends>', subtitle: 'a "machine"' };
const chart: Chart = {
	title: 'p99 < bound & more',
	x: { label: 'requests/s' },
	y: { label: 'ms', log: true },
	series: [
		{ name: 'p50', points: [1, 2, 3].map((x) => ({ x, y: x / 10, low: x / 12, high: x / 8 })) },
		{ name: 'p99', points: [1, 2, 3].map((x) => ({ x, y: 10 ** x })) },
	],
};

/** What an XML parser checks first: one root, every element closed in order, attributes quoted and unique, no stray < or &. @returns the elements */
function wellFormed(xml: string): string[] {
	const open: string[] = [];
	const names: string[] = [];
	let roots = 0;
	for (const part of xml.match(/<[^>]*>|[^<]+/g) ?? []) {
		if (!part.startsWith('<')) {
			expect(part).toMatch(open.length > 0 ? /^(?:[^&]|&(?:amp|lt|gt|quot);)*$/ : /^\s*$/);
			continue;
		}
		const { closing, name, isEmpty } = tagOf(part);
		if (closing) {
			expect(open.pop(), part).toBe(name);
			continue;
		}
		roots += Number(open.length === 0);
		names.push(name);
		if (!isEmpty) open.push(name);
	}
	expect({ open, roots }).toEqual({ open: [], roots: 1 });
	return names;
}

function tagOf(part: string): { closing: boolean; name: string; isEmpty: boolean } {
	const [, closing, name = '', attributes = '', slash] = part.match(/^<(\/?)([a-z]+)((?: +[a-zA-Z0-9-]+="[^"<&]*")*) *(\/?)>$/) ?? [];
	expect(name, part).not.toBe('');
	const keys = [...attributes.matchAll(/ ([a-zA-Z0-9-]+)=/g)].map(([, key]) => key);
	expect(new Set(keys).size, part).toBe(keys.length);
	return { closing: closing === '/', name, isEmpty: slash === '/' };
}

describe('a picture', () => {
	test('is well-formed and has a line per series, a band where there are intervals, and its own background', () => {
		const svg = picture([chart, chart], heading);
		const names = wellFormed(svg);
		expect(names.filter((name) => name === 'polyline').length).toBe(4);
		expect(names.filter((name) => name === 'polygon').length).toBe(2);
		expect(names.filter((name) => name === 'rect').length).toBe(1);
		expect(svg).toContain('p99 &lt; bound &amp; more');
		expect(svg).not.toContain('NaN');
	});

	test('is well-formed whatever is measured and however it is called', () => {
		const point = fc.record({ x: fc.double({ min: 0, max: 1e9, noNaN: true }), y: fc.double({ min: 0, max: 1e9, noNaN: true }) });
		const series = fc.array(fc.record({ name: fc.string({ unit: 'binary' }), points: fc.array(point) }), { maxLength: 10 });
		fc.assert(
			fc.property(series, fc.boolean(), fc.boolean(), (lines, logX, logY) => {
				const svg = picture([{ title: 't', x: { label: 'x', log: logX }, y: { label: 'y', log: logY }, series: lines }], heading);
				wellFormed(svg);
				expect(svg).not.toMatch(/NaN|Infinity/);
			}),
			{ numRuns: 50 },
		);
	});

	test('without charts is still a picture', () => expect(wellFormed(picture([], heading))).toContain('svg'));
});

describe('an axis', () => {
	test('labels round numbers and puts values between its ends', () => {
		const axis = axisOf([0, 37], { from: 100, to: 0 });
		expect(axis.ticks.map(({ label }) => label)).toEqual(['0', '10', '20', '30', '40']);
		expect([axis.place(0), axis.place(20), axis.place(40)]).toEqual([100, 50, 0]);
	});

	test('of logarithms gives each power of ten the same room', () => {
		const axis = axisOf([1, 10_000], { log: true, from: 0, to: 400 });
		expect(axis.ticks.map(({ at, label }) => [at, label])).toEqual([
			[0, '1'],
			[100, '10'],
			[200, '100'],
			[300, '1,000'],
			[400, '10,000'],
		]);
	});

	test('of one value, or of none, has a place for it', () => {
		for (const log of [false, true]) {
			for (const values of [[5], [0], []]) {
				const axis = axisOf(values, { log, from: 0, to: 10 });
				expect(axis.place(5)).toBeGreaterThanOrEqual(0);
				expect(axis.place(5)).toBeLessThanOrEqual(10);
			}
		}
	});
});
