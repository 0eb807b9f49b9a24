/** Whether a promise (`slo: {p99_ms}`) finds bounds as good as somebody who tries them all: goodput of the controller beside a grid of bounds set by hand. */
import { Exclusive } from '../harness/exclusive.js';
import { interleave } from '../harness/interleave.js';
import type { LoadResult, OpenLoad } from '../harness/load.js';
import { countWithin, mergeLoads } from '../harness/merge-loads.js';
import type { Answer, Bench, Question, Row } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { type Estimate, median, medianEstimate, pairedRatio } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { benchModel } from '../models/models.js';
import { atLeast, atMost, generatorCheck, intervalText } from './checks.js';
import { type ModelBounds, modelConfig } from './model-config.js';
import { quickPeak } from './peak-of.js';
import { measureReconvergence, RECONVERGED_WITHIN_S, type Reconvergence } from './reconvergence.js';
import { scoreRequests } from './requests.js';

const SLO_MS = 20;
const MODEL = 'trees';
const FEATURES = 247;
/** From a few requests a batch to many; from an eager refusal to one just within the promise. */
const BATCH_US = [300, 1500, 6000];
const WAIT_MS = [5, 10, 18];
const GRID = BATCH_US.flatMap((max_batch_us) => WAIT_MS.map((max_wait_ms) => ({ max_batch_us, max_wait_ms })));
/** A little above what the server can do: where bounds matter most. */
const OVER = 1.2;
const BUSY = 0.8;
const STEP_S = 0.25;
const STEPS = [0.6, 1.4];
const SCREENED = 2;
const BUSY_ROUNDS = 5;
const KEPT = 0.9;

export const batching: Question = {
	name: 'batching',
	asks: `How near does \`slo: {p99_ms: ${SLO_MS}}\` come to the best bounds set by hand, and how soon when a model's cost doubles?`,
	usual: { seconds: 20, pairs: 20 },
	run,
};

type Arrivals = 'constant' | 'poisson' | 'steps';
const KINDS: readonly Arrivals[] = ['constant', 'poisson', 'steps'];

function arrivals(kind: Arrivals, peak: number, seconds: number): Omit<OpenLoad, 'mode'> {
	if (kind !== 'steps') return { arrivals: kind, profile: [{ seconds, per_second: OVER * peak }] };
	const steps = Array.from({ length: Math.max(2, Math.round(seconds / STEP_S)) }, (_, at) => STEPS[at % STEPS.length] ?? 1);
	return { arrivals: 'poisson', profile: steps.map((share) => ({ seconds: STEP_S, per_second: share * peak })) };
}

interface Subject {
	name: string;
	bounds: ModelBounds;
	work: Work;
}

/** One kind of arrivals: what every point of the grid reached, and the best of them against the controller, in pairs. */
interface Compared {
	kind: Arrivals;
	screened: { bounds: ModelBounds; goodput: number }[];
	best: string;
	controller: LoadResult[];
	byHand: LoadResult[];
	ratio: Estimate;
}

async function run(bench: Bench): Promise<Answer> {
	const model = await benchModel(MODEL, bench.progress);
	const requests = scoreRequests(MODEL, FEATURES, 1);
	const subjectOf = async (name: string, bounds: ModelBounds): Promise<Subject> => {
		const flags = modelConfig(bench, MODEL, bounds);
		const server = await startRankd(bench, { name, repositories: [model.repository], flags });
		return { name, bounds, work: new Work(bench, server, { name, requests }) };
	};
	const controller = await subjectOf(`slo ${SLO_MS} ms`, { slo: { p99_ms: SLO_MS } });
	const grid: Subject[] = [];
	for (const bounds of GRID) grid.push(await subjectOf(`${bounds.max_batch_us} µs, ${bounds.max_wait_ms} ms`, bounds));
	const exclusive = new Exclusive([controller, ...grid].map(({ work }) => work.server));
	try {
		exclusive.run(controller.work.server);
		const peak = await quickPeak(bench, controller.work, SLO_MS);
		const measuring = new Measuring(bench, exclusive, peak);
		const compared: Compared[] = [];
		for (const kind of KINDS) compared.push(await measuring.compare(kind, controller, grid));
		const bestOf = (kind: Arrivals) => compared.find((each) => each.kind === kind)?.best;
		const busy = await measuring.busy([controller, ...grid.filter(({ name }) => name === bestOf('poisson'))]);
		exclusive.release();
		await controller.work.server.stop();
		return answerOf(compared, busy, await measureReconvergence(bench, { peak, sloMs: SLO_MS, model, requests }));
	} finally {
		exclusive.release();
	}
}

const goodputOf = ({ histogram, seconds }: LoadResult): number => countWithin(histogram, SLO_MS * 1000) / seconds;

class Measuring {
	readonly #bench: Bench;
	readonly #exclusive: Exclusive;
	readonly #peak: number;
	readonly #seconds: number;

	constructor(bench: Bench, exclusive: Exclusive, peak: number) {
		this.#bench = bench;
		this.#exclusive = exclusive;
		this.#peak = peak;
		this.#seconds = Math.max(1, bench.seconds / bench.pairs);
	}

	/** The whole grid in a few rounds, then its best point beside the controller in many: the best of a noisy screening is often luck. */
	async compare(kind: Arrivals, controller: Subject, grid: readonly Subject[]): Promise<Compared> {
		const load = arrivals(kind, this.#peak, this.#seconds);
		const results = await this.#inTurns(`${kind}, the grid`, grid, Math.min(SCREENED, this.#bench.pairs), load);
		const screened = grid.map((subject) => ({ subject, goodput: median((results.get(subject.name) ?? []).map(goodputOf)) }));
		const { subject: best } = screened.reduce((a, b) => (b.goodput > a.goodput ? b : a));
		const pairs = await this.#inTurns(`${kind}, the best`, [controller, best], this.#bench.pairs, load);
		const [ours, byHand] = [pairs.get(controller.name) ?? [], pairs.get(best.name) ?? []];
		return {
			kind,
			screened: screened.map(({ subject: { bounds }, goodput }) => ({ bounds, goodput })),
			best: best.name,
			controller: ours,
			byHand,
			ratio: pairedRatio(ours.map(goodputOf), byHand.map(goodputOf)),
		};
	}

	/** Poisson arrivals at four fifths of the peak. */
	busy(subjects: readonly Subject[]): Promise<Map<string, LoadResult[]>> {
		const profile = [{ seconds: this.#seconds, per_second: BUSY * this.#peak }];
		return this.#inTurns('80 %', subjects, Math.min(BUSY_ROUNDS, this.#bench.pairs), { arrivals: 'poisson', profile });
	}

	#inTurns(what: string, subjects: readonly Subject[], rounds: number, load: Omit<OpenLoad, 'mode'>): Promise<Map<string, LoadResult[]>> {
		const measure = ({ name, work }: Subject, round: number) => {
			this.#bench.progress(`${what}, round ${round + 1} of ${rounds}: ${name}`);
			this.#exclusive.run(work.server);
			return work.offer(load, 1 + round);
		};
		return interleave(
			subjects.map((subject) => ({ name: subject.name, measure: (round: number) => measure(subject, round) })),
			rounds,
		);
	}
}

function answerOf(compared: readonly Compared[], busy: ReadonlyMap<string, LoadResult[]>, reconverged: Reconvergence): Answer {
	const loads = [...compared.flatMap(({ controller, byHand }) => [...controller, ...byHand]), ...[...busy.values()].flat()];
	const settled = median(reconverged.settledAfterS);
	return {
		rows: [
			...compared.flatMap(({ kind, best, controller, byHand }) => [
				rowOf(kind, `slo ${SLO_MS} ms`, controller),
				rowOf(kind, `the best by hand: ${best}`, byHand),
			]),
			...[...busy].map(([name, rounds]) => rowOf(`${BUSY * 100} % of the peak`, name, rounds)),
		],
		checks: [
			...compared.map(({ kind, ratio }) => atLeast(`${kind}: goodput of the controller`, ratio.value, 'of the best by hand', KEPT)),
			atMost(
				`p99 of the controller at ${BUSY * 100} % of the peak`,
				mergeLoads(busy.get(`slo ${SLO_MS} ms`) ?? []).latency_us.p99 / 1000,
				'ms',
				SLO_MS,
			),
			atMost('p99 is within the promise again after the cost has doubled', settled, 's', RECONVERGED_WITHIN_S),
			atLeast('goodput behind that', median(reconverged.goodputKept), 'of half the peak', KEPT),
			generatorCheck(loads),
		],
		charts: [...compared.map(gridChart), reconverged.chart],
		notes: compared.map(
			({ kind, best, ratio, byHand }) => `${kind}: the controller against ${best} in ${byHand.length} pairs: ${intervalText(ratio)}`,
		),
	};
}

function rowOf(load: string, bounds: string, rounds: readonly LoadResult[]): Row {
	const { value, low, high } = medianEstimate(rounds.map(goodputOf));
	const { latency_us: latency, intended, seconds } = mergeLoads(rounds);
	return {
		load,
		bounds,
		'offered/s': intended / seconds,
		[`in ${SLO_MS} ms/s`]: value,
		low,
		high,
		'p50 ms': latency.p50 / 1000,
		'p99 ms': latency.p99 / 1000,
	};
}

function gridChart({ kind, screened, controller }: Compared): Answer['charts'][number] {
	const level = median(controller.map(goodputOf));
	const byHand = WAIT_MS.map((wait) => ({
		name: `by hand, max_wait_ms ${wait}`,
		points: screened
			.filter(({ bounds }) => bounds.max_wait_ms === wait)
			.map(({ bounds, goodput }) => ({ x: bounds.max_batch_us ?? 0, y: goodput })),
	}));
	return {
		title: `${kind} arrivals: answered within ${SLO_MS} ms, the grid and the controller`,
		x: { label: 'max_batch_us, set by hand', log: true },
		y: { label: 'answers/s' },
		series: [...byHand, { name: `slo: {p99_ms: ${SLO_MS}}`, points: BATCH_US.map((x) => ({ x, y: level })) }],
	};
}
