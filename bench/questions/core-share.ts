/** Many kinds of work on one core, taking turns: how much of each it answers, at what price, and how fast when it is four fifths full. */
import { type BareResult, bareRun } from '../harness/bare-run.js';
import { interleave } from '../harness/interleave.js';
import type { LoadResult } from '../harness/load.js';
import { mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import type { Answer, Bench, Row } from '../harness/question.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import type { Work } from '../harness/work.js';
import { errorCheck, generatorCheck } from './checks.js';

export interface Subject {
	work: Work;
	/** The row's first cells; every subject of a question has the same keys. */
	labels: Row;
	/** How many candidates the ranking graph sees; null where there is no single graph to compare with. */
	candidates: number | null;
}

/** The ranking graph of the generated bundles, 256 wide. */
const BUSY_SHARE = 0.8;
const WIDTH = 256;

interface Measured extends Subject {
	closed: Observed[];
	busy: LoadResult[];
	bare: BareResult[] | undefined;
}

/** @param onnx the ranking graph of the subjects that have `candidates` */
export async function measureSubjects(bench: Bench, subjects: readonly Subject[], onnx: string): Promise<Measured[]> {
	const seconds = bench.seconds / bench.pairs;
	const counts = [...new Set(subjects.flatMap(({ candidates }) => (candidates === null ? [] : [candidates])))];
	const bare = new Map<number, BareResult[]>(counts.map((count) => [count, []]));
	const closed = await interleave<Observed | undefined>(
		[
			...subjects.map(({ work }) => ({
				name: work.name,
				measure: (round: number) => {
					bench.progress(`round ${round + 1}: ${work.name}, closed loop`);
					return work.closed(seconds);
				},
			})),
			...counts.map((count) => ({
				name: `bare ${count}`,
				measure: async (round: number) => {
					bench.progress(`round ${round + 1}: ${count} candidates, ONNX Runtime alone`);
					bare.get(count)?.push(await bareRun(bench, { onnx, shapes: rankerShapes(count), seconds: Math.max(1, seconds) }));
					return undefined;
				},
			})),
		],
		bench.pairs,
	);
	const roundsOf = ({ work }: Subject) => (closed.get(work.name) ?? []).filter((observed) => observed !== undefined);
	const busy = await interleave(
		subjects.map((subject) => ({
			name: subject.work.name,
			measure: (round: number) => {
				const perSecond = BUSY_SHARE * rateOf(roundsOf(subject)).value;
				bench.progress(`round ${round + 1}: ${subject.work.name} at ${Math.round(perSecond)}/s`);
				return subject.work.open(perSecond, seconds, 1 + round);
			},
		})),
		bench.pairs,
	);
	return subjects.map((subject) => ({
		...subject,
		closed: roundsOf(subject),
		busy: busy.get(subject.work.name) ?? [],
		bare: subject.candidates === null ? undefined : bare.get(subject.candidates),
	}));
}

export function answerOf(measured: readonly Measured[], charts: Answer['charts']): Answer {
	const loads = measured.flatMap(({ closed, busy }) => [...closed.map(({ result }) => result), ...busy]);
	return { rows: measured.map(rowOf), checks: [errorCheck(loads), generatorCheck(loads)], charts };
}

/** Requests per second in a closed loop. */
export function rateOf(closed: readonly Observed[]): Estimate {
	return medianEstimate(closed.map(({ result }) => result.completed_per_second));
}

const rankerShapes = (candidates: number) => ({
	user_embedding: [1, WIDTH],
	row_user: [candidates],
	item_embedding: [candidates, WIDTH],
});

function rowOf({ labels, closed, busy, bare }: Measured): Row {
	const rate = rateOf(closed);
	const { latency_us: latency, completed_per_second } = mergeLoads(busy);
	const rates = closed.map(({ result }) => result.completed_per_second);
	const share =
		bare &&
		pairedRatio(
			rates,
			bare.map(({ runs_per_second }) => runs_per_second),
		);
	return {
		...labels,
		'req/s': rate.value,
		low: rate.low,
		high: rate.high,
		'CPU µs': median(closed.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
		'at 80 %: req/s': completed_per_second,
		'p50 ms': latency.p50 / 1000,
		'p99 ms': latency.p99 / 1000,
		'ONNX Runtime alone/s': bare ? median(bare.map(({ runs_per_second }) => runs_per_second)) : null,
		'of that': share?.value ?? null,
	};
}
