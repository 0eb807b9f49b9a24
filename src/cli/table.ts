/** Rows for people: columns as wide as their widest cell, numbers to the right. */

export type Cell = string | number;

export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
	const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => String(row[column]).length)));
	const line = (cells: readonly Cell[]) =>
		cells
			.map((cell, column) => aligned(cell, widths[column] ?? 0))
			.join('  ')
			.trimEnd();
	return [headings, ...rows].map(line).join('\n');
}

const aligned = (cell: Cell, width: number): string => (typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width));
