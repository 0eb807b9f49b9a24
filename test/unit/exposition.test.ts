/** Prometheus text: every line is what the format asks for, whatever the labels and counts are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Exposition, type Series } from '../../src/metrics/exposition.js';
import { parseMetrics } from '../support/parse-metrics.js';

/** As the format reads a label's value. */
const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));

test('whatever the counts are, buckets rise and the last is the count', () => {
	fc.assert(
		fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), fc.nat(), (counts, sum) => {
			const bounds = counts.slice(1).map((_, at) => 10 ** at);
			const page = new Exposition();
			page.histogram({ name: 'h', help: 'h', scale: 1, read: () => [{ labels: {}, counts: { bounds, counts, sum } }] });
			const scrape = parseMetrics(page.render());
			const buckets = [...scrape].filter(([series]) => series.startsWith('h_bucket')).map(([, value]) => value);
			expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
			const total = counts.reduce((a, b) => a + b);
			expect([buckets.length, buckets.at(-1), scrape.get('h_count'), scrape.get('h_sum')]).toEqual([counts.length, total, total, sum]);
			expect(scrape.get('h_bucket{le="+Inf"}')).toBe(total);
		}),
	);
});

test('whatever a label says, it can be read back', () => {
	fc.assert(
		fc.property(fc.string(), fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', 'é') }), (one, other) => {
			const page = new Exposition();
			page.gauge('g', 'one line\nor two', () => [[{ one, other }, 1]]);
			const [help, type, line, ...rest] = page.render().split('\n');
			expect([help, type, rest]).toEqual(['# HELP g one line\\nor two', '# TYPE g gauge', ['']]);
			const [, first = '', second = ''] = /^g\{one="((?:[^"\\]|\\.)*)",other="((?:[^"\\]|\\.)*)"\} 1$/su.exec(line ?? '') ?? [];
			expect([unescaped(first), unescaped(second)]).toEqual([one, other]);
		}),
	);
});

test('numbers that are none have the names of the format', () => {
	const page = new Exposition();
	const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-7, 2 ** 40];
	page.counter('c', 'c', () => values.map((value, at) => [{ at: String(at) }, value]));
	const shown = page.render().split('\n').slice(2, -1);
	expect(shown.map((line) => line.split(' ')[1])).toEqual(['NaN', '+Inf', '-Inf', '1e-7', '1099511627776']);
});

test('a bound is the number it was, in the unit of the metric', () => {
	const page = new Exposition();
	page.histogram({
		name: 'h',
		help: 'h',
		scale: 1e-6,
		read: () => [{ labels: { a: 'b' }, counts: { bounds: [20, 500], counts: [1, 1, 1], sum: 3 } }],
	});
	expect(page.render().match(/le="[^"]+"/g)).toEqual(['le="0.00002"', 'le="0.0005"', 'le="+Inf"']);
});

test('a series that is no longer read is gone', () => {
	let series: Series[] = [{ labels: { model: 'a' }, counts: { bounds: [1], counts: [1, 0], sum: 1 } }];
	const page = new Exposition();
	page.histogram({ name: 'h', help: 'h', scale: 1, read: () => series });
	expect(page.render()).toContain('h_bucket{model="a",le="1"} 1');
	series = [];
	expect(page.render()).toBe('# HELP h h\n# TYPE h histogram\n');
	series = [{ labels: { model: 'a' }, counts: { bounds: [2], counts: [0, 1], sum: 3 } }];
	expect(page.render()).toContain('h_bucket{model="a",le="2"} 0');
});

test('what several metrics show parts of is read once for each scrape', () => {
	let reads = 0;
	const page = new Exposition();
	const both = page.once(() => ++reads);
	page.gauge('one', 'one', () => [[{}, both()]]);
	page.gauge('two', 'two', () => [[{}, both()]]);
	expect([...parseMetrics(page.render()).values()]).toEqual([1, 1]);
	expect([...parseMetrics(page.render()).values()]).toEqual([2, 2]);
});
