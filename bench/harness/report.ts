/** A question's answer with everything needed to judge and repeat it; as files in bench/results, and as text for a reader. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.js';
import { inRoot } from './paths.js';
import { picture } from './picture.js';
import type { Answer, Chart, Check, Row } from './question.js';
import { checksAsTable, rowsAsTable } from './table.js';

export interface Report {
	question: string;
	machine: Machine;
	versions: Record<string, string>;
	commit: string;
	command: string;
	/** ISO 8601, UTC. */
	started: string;
	/** Measured per point, as asked for. */
	seconds: number;
	pairs: number;
	rows: Row[];
	checks: Check[];
	notes: string[];
}

export type Setting = Pick<Report, 'machine' | 'versions' | 'commit' | 'command' | 'started' | 'seconds' | 'pairs'>;

/** @param notes of the run, before those of the answer */
export function reportOf(question: string, setting: Setting, answer: Answer, notes: readonly string[]): Report {
	return {
		question,
		...setting,
		versions: { ...setting.versions, ...answer.versions },
		rows: answer.rows,
		checks: answer.checks,
		notes: [...new Set([...notes, ...(answer.notes ?? [])])],
	};
}

export const isOk = ({ checks }: Pick<Report, 'checks'>): boolean => checks.every(({ ok }) => ok);

/** Replaces the last result of this question: `<question>.json` and `<question>.svg`. */
export function writeReport(report: Report, charts: readonly Chart[], folder = inRoot('bench', 'results')): void {
	mkdirSync(folder, { recursive: true });
	writeFileSync(`${folder}/${report.question}.json`, `${JSON.stringify({ ...report, charts }, undefined, '\t')}\n`);
	const subtitle = `${report.machine.processor}, rankd ${report.versions['rankd']}, commit ${report.commit}, ${report.started.slice(0, 10)}`;
	writeFileSync(`${folder}/${report.question}.svg`, picture(charts, { title: report.question, subtitle }));
}

export function reportAsText(report: Report): string {
	const { machine, versions } = report;
	const features = machine.features.length > 0 ? ` (${machine.features.join(' ')})` : '';
	const heading = [
		`# ${report.question}`,
		'',
		`${machine.processor}${features}, ${machine.cores} cores${machine.virtual ? ' of a virtual machine' : ''}, ${machine.memory_gib} GiB, Linux ${machine.kernel}`,
		Object.entries(versions)
			.map(([name, version]) => `${name} ${version}`)
			.join(', '),
		`commit ${report.commit}, ${report.started}: ${report.command}`,
	];
	const notes = report.notes.map((note) => `- ${note}`);
	return [...heading, '', rowsAsTable(report.rows), '', checksAsTable(report.checks), ...(notes.length > 0 ? ['', ...notes] : [])].join(
		'\n',
	);
}
