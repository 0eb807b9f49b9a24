/** Whether more I/O threads answer more: one to as many as there are cores. */
import { interleave } from '../harness/interleave.js';
import { mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { errorCheck } from './checks.js';
import { packagesRecommend } from './requests.js';

const CONNECTIONS = 64;
/** Everything runs on the I/O threads: compute workers would be further threads. */
const FLAGS = ['--compute-threads', '0'];

export const threads: Question = {
	name: 'threads',
	asks: 'How does throughput grow from one I/O thread to as many as there are cores?',
	run,
};

interface Cores {
	server: readonly number[];
	load: readonly number[];
	note: string;
}

/** The generator keeps the last core to itself where that leaves the server two; else it runs beside the server. */
export function shareCores(all: readonly number[]): Cores {
	const last = all.at(-1) ?? 0;
	if (all.length >= 3) {
		const server = all.slice(0, -1);
		return { server, load: [last], note: `servers on cores ${server.join(', ')}, the generator alone on core ${last}` };
	}
	const note = `servers and generator share ${all.length === 1 ? 'the one core' : 'both cores'}: with as many threads as cores they disturb each other, and the rate is too low`;
	return { server: all, load: all, note };
}

async function run(bench: Bench): Promise<Answer> {
	const cores = shareCores(bench.allCores);
	const counts = cores.server.map((_, at) => at + 1);
	bench.note(cores.note);
	const requests = packagesRecommend();
	const works: Work[] = [];
	for (const count of counts) {
		const server = await startRankd(bench, {
			name: `${count} I/O threads`,
			flags: ['--io-threads', String(count), ...FLAGS],
			cores: cores.server,
		});
		works.push(new Work(bench, server, { name: String(count), requests, connections: CONNECTIONS, inFlight: 2, cores: cores.load }));
	}
	const results = await interleave(
		works.map((work) => ({
			name: work.name,
			measure: (round: number) => {
				bench.progress(`round ${round + 1}: ${work.name} I/O threads`);
				return work.closed(bench.seconds / bench.pairs);
			},
		})),
		bench.pairs,
	);
	return answerOf(counts.map((count) => ({ count, rounds: results.get(String(count)) ?? [] })));
}

interface Measured {
	count: number;
	rounds: readonly Observed[];
}

const ratesOf = ({ rounds }: Measured): number[] => rounds.map(({ result }) => result.completed_per_second);

function answerOf(measured: readonly Measured[]): Answer {
	const one = measured[0];
	const growth = (each: Measured): Estimate => (one ? pairedRatio(ratesOf(each), ratesOf(one)) : { value: 1, low: 1, high: 1 });
	const rows = measured.map((each): Row => {
		const rate = medianEstimate(ratesOf(each));
		const merged = mergeLoads(each.rounds.map(({ result }) => result));
		return {
			'I/O threads': each.count,
			'answers/s': rate.value,
			low: rate.low,
			high: rate.high,
			'times one thread': growth(each).value,
			'server cores': median(each.rounds.map(({ serverUtilisation }) => serverUtilisation)),
			'generator core': merged.generator_utilisation,
			'p50 ms': merged.latency_us.p50 / 1000,
			'p99 ms': merged.latency_us.p99 / 1000,
		};
	});
	const points = measured.map((each) => {
		const { value, low, high } = medianEstimate(ratesOf(each));
		return { x: each.count, y: value, low, high };
	});
	return {
		rows,
		checks: [errorCheck(measured.flatMap(({ rounds }) => rounds.map(({ result }) => result)))],
		charts: [
			{
				title: 'recommend on the shipped bundle, closed loop',
				x: { label: 'I/O threads' },
				y: { label: 'answers/s' },
				series: [{ name: 'answers/s', points }],
			},
		],
	};
}
