/** From nothing to the first answer, and what the process weighs then and after work. */
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { answers, startRankd } from '../harness/rankd.js';
import { type Estimate, medianEstimate } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { packagesRecommend } from './requests.js';

/** How finely the moment of the first answer is known. */
const POLL_MS = 3;
const MiB = 2 ** 20;

export const start: Question = {
	name: 'start',
	asks: 'How long from the start of the process to the first answer, and how much memory does it take?',
	run,
};

interface Started {
	startMs: number;
	residentAtStart: number;
	residentAfterLoad: number;
	errors: number;
}

async function run(bench: Bench): Promise<Answer> {
	const requests = packagesRecommend();
	const body = JSON.stringify(requests.bodies[0]);
	const rounds: Started[] = [];
	for (let round = 0; round < bench.pairs; round++) {
		bench.progress(`start ${round + 1} of ${bench.pairs}`);
		const server = await startRankd(bench, {
			isReady: ({ base }) => answers(`${base}/v1/recommend/packages`, body),
			pollMs: POLL_MS,
		});
		const residentAtStart = server.residentBytes();
		const { result, residentBytes } = await new Work(bench, server, { name: 'recommend', requests }).closed(bench.seconds);
		await server.stop();
		const errors = Object.values(result.errors).reduce((sum, count) => sum + count, 0);
		rounds.push({ startMs: server.startMs, residentAtStart, residentAfterLoad: residentBytes, errors });
	}
	bench.note('the files of node and of the bundle are in the page cache: the first start after a boot reads them from disk');
	return { rows: rowsOf(rounds), checks: checksOf(rounds), charts: chartsOf(rounds) };
}

const seriesOf = (rounds: readonly Started[]) => ({
	'first answer': { unit: 'ms', samples: rounds.map(({ startMs }) => startMs) },
	'memory at the first answer': { unit: 'MiB', samples: rounds.map(({ residentAtStart }) => residentAtStart / MiB) },
	'memory under full load': { unit: 'MiB', samples: rounds.map(({ residentAfterLoad }) => residentAfterLoad / MiB) },
});

function rowsOf(rounds: readonly Started[]): Row[] {
	return Object.entries(seriesOf(rounds)).map(([what, { unit, samples }]) => {
		const { value, low, high }: Estimate = medianEstimate(samples);
		return { models: 'packages (shipped)', what, unit, median: value, low, high, starts: samples.length };
	});
}

function checksOf(rounds: readonly Started[]): Check[] {
	const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
	return [{ name: 'errors right after the start', value: errors, unit: 'answers', target: '= 0', ok: errors === 0 }];
}

function chartsOf(rounds: readonly Started[]): Answer['charts'] {
	const { 'first answer': first, ...memory } = seriesOf(rounds);
	const points = (samples: readonly number[]) => samples.map((y, round) => ({ x: round + 1, y }));
	return [
		{
			title: 'From the start of the process to its first answer',
			x: { label: 'start' },
			y: { label: 'ms' },
			series: [{ name: 'first answer', points: points(first.samples) }],
		},
		{
			title: 'Resident memory',
			x: { label: 'start' },
			y: { label: 'MiB' },
			series: Object.entries(memory).map(([name, { samples }]) => ({ name, points: points(samples) })),
		},
	];
}
