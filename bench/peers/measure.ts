/** The measurements of one work: every server's throughput, then p99 of each peer and of rankd under the same load, then the highest rate in time. */
import { type BareResult, bareRun } from '../harness/bare-run.js';
import { Unmeasurable } from '../harness/failures.js';
import { interleave } from '../harness/interleave.js';
import type { LoadResult } from '../harness/load.js';
import { type MergedLoad, mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import { findPeak, type Peak } from '../harness/peak.js';
import type { Bench } from '../harness/question.js';
import { median, pairedRatio } from '../harness/statistics.js';
import type { Subject } from './subject.js';

export const BOUND_MS = 20;
/** Of a peer's own peak. */
export const SHARES = [0.2, 0.5, 0.8] as const;

/** A peer and rankd at the same rate, in turns. */
export interface EqualLoad {
	share: number;
	perSecond: number;
	peer: MergedLoad;
	rankd: MergedLoad;
	/** p99 of the peer over rankd's, the median of the rounds' own: what disturbed one round does not decide. */
	lead: number;
}

export interface Measured {
	subject: Pick<Subject, 'name' | 'work' | 'inFlight'>;
	closed: Observed[];
	/** None for rankd itself. */
	equalLoads: EqualLoad[];
	inTime: InTime;
}

/** The highest rate whose p99 is within the bound; `never`: none is; `void`: the generator was kept from finding out. */
export type InTime = Peak<LoadResult> | 'never' | 'void';

export interface WorkMeasured {
	rankd: Measured;
	/** Peers, and rankd's other ways in. */
	others: Measured[];
	bare: BareResult;
}

/** What of the seconds per point each part gets: twenty minutes for five peers and three kinds of work. */
const CLOSED_PART = 0.5;
const EQUAL_LOAD_PART = 0.25;
const PROBE_PART = 0.15;
const EQUAL_LOAD_ROUNDS = 5;
/** At least so many: a p99 is then more than the one or two slowest answers. */
const EQUAL_LOAD_ANSWERS = 400;
/** A probe of a second or two cannot tell rates apart that are nearer. */
const PRECISION = 0.06;

/** @param others are compared with `rankd`; only those that `isPeer` says are loaded together with it */
export async function measureWork(
	bench: Bench,
	{ rankd, others, isPeer }: { rankd: Subject; others: readonly Subject[]; isPeer: (subject: Subject) => boolean },
	bareOf: { onnx: string; shapes: Record<string, number[]> },
): Promise<WorkMeasured> {
	const all = [rankd, ...others];
	for (const subject of all) {
		bench.progress(`${subject.work}: warming up ${subject.name}`);
		await subject.closed(1);
	}
	const bare = await bareRun(bench, { ...bareOf, seconds: Math.max(1, bench.seconds / 5) });
	const closed = await closedLoops(bench, all);
	const rateOf = (subject: Subject) => median((closed.get(subject.name) ?? []).map(({ result }) => result.completed_per_second));
	const measured: Measured[] = [];
	for (const subject of all) {
		const equalLoads = isPeer(subject) ? await atEqualLoads(bench, subject, rankd, rateOf(subject)) : [];
		const inTime = await highestInTime(bench, subject, rateOf(subject));
		measured.push({ subject, closed: closed.get(subject.name) ?? [], equalLoads, inTime });
	}
	const [first, ...rest] = measured as [Measured, ...Measured[]];
	return { rankd: first, others: rest, bare };
}

function closedLoops(bench: Bench, subjects: readonly Subject[]): Promise<Map<string, Observed[]>> {
	const seconds = (CLOSED_PART * bench.seconds) / bench.pairs;
	const measure = (subject: Subject) => (round: number) => {
		bench.progress(`${subject.work}: ${subject.name}, closed loop, round ${round + 1} of ${bench.pairs}`);
		return subject.closed(seconds);
	};
	return interleave(
		subjects.map((subject) => ({ name: subject.name, measure: measure(subject) })),
		bench.pairs,
	);
}

async function atEqualLoads(bench: Bench, peer: Subject, rankd: Subject, peak: number): Promise<EqualLoad[]> {
	const loads: EqualLoad[] = [];
	for (const share of SHARES) {
		const perSecond = share * peak;
		const seconds = Math.max(EQUAL_LOAD_PART * bench.seconds, EQUAL_LOAD_ANSWERS / perSecond) / EQUAL_LOAD_ROUNDS;
		bench.progress(`${peer.work}: ${peer.name} and rankd at ${Math.round(perSecond)}/s, ${share * 100} % of the peer's peak`);
		const measure = (subject: Subject) => (round: number) => subject.open(perSecond, seconds, 1 + round);
		const load = await unlessVoid(bench, `${peer.work}: ${peer.name} and rankd at ${Math.round(perSecond)}/s`, async () => {
			const results = await interleave(
				[
					{ name: 'peer', measure: measure(peer) },
					{ name: 'rankd', measure: measure(rankd) },
				],
				EQUAL_LOAD_ROUNDS,
			);
			const [peers, ours] = [results.get('peer') ?? [], results.get('rankd') ?? []];
			return { share, perSecond, peer: mergeLoads(peers), rankd: mergeLoads(ours), lead: pairedRatio(p99sOf(peers), p99sOf(ours)).value };
		});
		if (load) loads.push(load);
	}
	return loads;
}

const p99sOf = (results: readonly LoadResult[]): number[] => results.map(({ latency_us }) => latency_us.p99);

async function highestInTime(bench: Bench, subject: Subject, closedPerSecond: number): Promise<InTime> {
	let seed = 1;
	let isVoid = true;
	const measure = async (perSecond: number) => {
		bench.progress(`${subject.work}: ${subject.name}, is p99 within ${BOUND_MS} ms at ${Math.round(perSecond)}/s?`);
		isVoid = true;
		const result = await subject.open(perSecond, PROBE_PART * bench.seconds, seed++);
		isVoid = false;
		return result;
	};
	const search = { boundMs: BOUND_MS, guess: 0.85 * closedPerSecond, precision: PRECISION, measure };
	const found = await unlessVoid(bench, `${subject.work}: ${subject.name} with p99 within ${BOUND_MS} ms`, () => findPeak(search));
	// What ended the search was its lowest rate.
	return found ?? (isVoid ? 'void' : 'never');
}

/** One point that says nothing is told, and does not cost a quarter of an hour of others. */
async function unlessVoid<T>(bench: Bench, point: string, measure: () => Promise<T>): Promise<T | undefined> {
	try {
		return await measure();
	} catch (error) {
		if (!(error instanceof Unmeasurable)) throw error;
		bench.note(`${point}: not measured, ${error.message}`);
		return undefined;
	}
}
