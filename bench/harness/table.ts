/** Rows as a Markdown table whose columns also line up in a terminal. */
import type { Check, Row } from './question.js';

type Cell = Row[string];

export function rowsAsTable(rows: readonly Row[]): string {
	const first = rows[0];
	if (first === undefined) return '(no rows)';
	const columns = Object.keys(first);
	return markdown(
		columns,
		rows.map((row) => columns.map((column) => row[column] ?? null)),
	);
}

export function checksAsTable(checks: readonly Check[]): string {
	if (checks.length === 0) return '(no checks)';
	return markdown(
		['check', 'value', 'unit', 'target', ''],
		checks.map(({ name, value, unit, target, ok }) => [name, value, unit, target, ok ? 'ok' : 'NOT OK']),
	);
}

/** Numbers stand to the right. */
function markdown(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
	const texts = rows.map((row) => row.map(cellText));
	const widths = headings.map((heading, at) => Math.max(3, heading.length, ...texts.map((row) => row[at]?.length ?? 0)));
	const isNumeric = headings.map((_, at) => rows.every((row) => row[at] === null || typeof row[at] === 'number'));
	const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => padded(cell, widths[at] ?? 0, isNumeric[at])).join(' | ')} |`;
	const rule = `|${widths.map((width, at) => `${'-'.repeat(width + 1)}${isNumeric[at] ? ':' : '-'}`).join('|')}|`;
	return [line(headings), rule, ...texts.map(line)].join('\n');
}

const padded = (text: string, width: number, toTheRight = false): string => (toTheRight ? text.padStart(width) : text.padEnd(width));

function cellText(cell: Cell): string {
	if (cell === null) return '–';
	if (typeof cell === 'number') return numberText(cell);
	return String(cell).replaceAll('|', '\\|');
}

/** Three significant digits below a hundred, whole numbers above, thousands apart: what these measurements are worth. */
export function numberText(value: number): string {
	if (!Number.isFinite(value)) return String(value);
	if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
	return String(Number(value.toPrecision(3)));
}
