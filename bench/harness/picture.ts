/**
 * Charts as one SVG. Drawn by hand: lines, bands and two axes are all a question needs, and the libraries that render SVG on a server
 * bring dozens of packages along. The background is drawn, so that the picture reads the same on a light and on a dark page.
 */
import { type Axis, axisOf } from './axis.js';
import type { Chart } from './question.js';

const WIDTH = 900;
const HEADER = 64;
const PANEL = { height: 380, left: 84, right: 24, top: 40, bottom: 56 };
const LEGEND_LINE = 20;
const LEGEND_COLUMNS = 4;
const INK = '#1f2328';
const FAINT = '#d0d7de';
/** Okabe and Ito's colours, told apart with any kind of colour vision; without their yellow, which is lost on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#5d5d5d', '#7a3db8'];
/** Beyond the colours, lines are told apart by their dashes. */
const DASHES = ['', '6 4', '2 3'];

type Series = Chart['series'][number];
type Point = Series['points'][number];

export function picture(charts: readonly Chart[], { title, subtitle }: { title: string; subtitle: string }): string {
	const panels: string[] = [];
	let y = HEADER;
	for (const chart of charts) {
		const legend = LEGEND_LINE * Math.ceil(chart.series.length / LEGEND_COLUMNS);
		panels.push(`<g transform="translate(0 ${y})">${panelOf(chart, legend)}</g>`);
		y += PANEL.height + legend;
	}
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 12}" width="${WIDTH}" height="${y + 12}" font-family="system-ui, sans-serif" font-size="13" fill="${INK}" role="img">`,
		`<title>${escaped(title)}</title>`,
		`<rect width="${WIDTH}" height="${y + 12}" rx="6" fill="#ffffff"/>`,
		text(PANEL.left - 60, 30, title, 'font-size="20" font-weight="600"'),
		text(PANEL.left - 60, 50, subtitle, 'fill="#59636e" font-size="12"'),
		...panels,
		'</svg>\n',
	].join('\n');
}

function panelOf(chart: Chart, legend: number): string {
	const points = chart.series.flatMap((series) => series.points);
	const bottom = PANEL.height - PANEL.bottom + legend;
	const x = axisOf(
		points.map((point) => point.x),
		{ log: chart.x.log, from: PANEL.left, to: WIDTH - PANEL.right, tight: true },
	);
	const y = axisOf(
		points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
		{ log: chart.y.log, from: bottom, to: PANEL.top + legend },
	);
	return [
		text(PANEL.left, 20, chart.title, 'font-weight="600" font-size="15"'),
		...chart.series.map((series, at) => legendEntry(series, at)),
		...gridOf(chart, x, y, bottom, PANEL.top + legend),
		...chart.series.map((series, at) => bandOf(series, at, x, y)),
		...chart.series.map((series, at) => lineOf(series, at, x, y)),
	].join('\n');
}

function legendEntry({ name }: Series, at: number): string {
	const left = PANEL.left + ((WIDTH - PANEL.left - PANEL.right) / LEGEND_COLUMNS) * (at % LEGEND_COLUMNS);
	const top = 40 + LEGEND_LINE * Math.floor(at / LEGEND_COLUMNS);
	const stroke = `stroke="${colourOf(at)}" stroke-width="3" stroke-dasharray="${dashOf(at)}"`;
	return `<line x1="${left}" y1="${top - 4}" x2="${left + 22}" y2="${top - 4}" ${stroke}/>${text(left + 28, top, name)}`;
}

function gridOf(chart: Chart, x: Axis, y: Axis, bottom: number, top: number): string[] {
	const right = WIDTH - PANEL.right;
	const middle = (PANEL.left + right) / 2;
	return [
		...y.ticks.flatMap(({ at, label }) => [
			`<line x1="${PANEL.left}" y1="${at}" x2="${right}" y2="${at}" stroke="${FAINT}"/>`,
			text(PANEL.left - 8, at + 4, label, 'text-anchor="end"'),
		]),
		...x.ticks.flatMap(({ at, label }) => [
			`<line x1="${at}" y1="${bottom}" x2="${at}" y2="${bottom + 5}" stroke="${INK}"/>`,
			text(at, bottom + 20, label, 'text-anchor="middle"'),
		]),
		`<line x1="${PANEL.left}" y1="${bottom}" x2="${right}" y2="${bottom}" stroke="${INK}"/>`,
		text(middle, bottom + 42, chart.x.label, 'text-anchor="middle"'),
		`<text transform="translate(20 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.y.label)}</text>`,
	];
}

/** The interval around each point; '' where none has one. */
function bandOf({ points }: Series, at: number, x: Axis, y: Axis): string {
	const banded = points.filter((point) => point.low !== undefined && point.high !== undefined);
	if (banded.length === 0) return '';
	const edge = (points: readonly Point[], value: (point: Point) => number) =>
		points.map((point) => `${x.place(point.x)},${y.place(value(point))}`);
	const outline = [...edge(banded, (point) => point.high ?? point.y), ...edge(banded.toReversed(), (point) => point.low ?? point.y)];
	return `<polygon points="${outline.join(' ')}" fill="${colourOf(at)}" fill-opacity="0.16"/>`;
}

function lineOf({ points }: Series, at: number, x: Axis, y: Axis): string {
	const colour = colourOf(at);
	const places = points.map((point) => `${x.place(point.x)},${y.place(point.y)}`);
	// Many points are a curve, few are measurements that the reader wants to see.
	const dots =
		points.length > 40 ? [] : points.map((point) => `<circle cx="${x.place(point.x)}" cy="${y.place(point.y)}" r="3" fill="${colour}"/>`);
	const stroke = `fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round" stroke-dasharray="${dashOf(at)}"`;
	return `<polyline points="${places.join(' ')}" ${stroke}/>${dots.join('')}`;
}

const colourOf = (at: number): string => COLOURS[at % COLOURS.length] as string;
const dashOf = (at: number): string => DASHES[Math.floor(at / COLOURS.length) % DASHES.length] || 'none';

const text = (x: number, y: number, content: string, style = ''): string => `<text x="${x}" y="${y}" ${style}>${escaped(content)}</text>`;

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What XML 1.0 does not know, not even escaped: control characters, halves of surrogate pairs. */
const unknownToXml = /[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const escaped = (content: string): string =>
	content.replace(/[&<>"]/g, (character) => escapes[character] as string).replace(unknownToXml, '');
