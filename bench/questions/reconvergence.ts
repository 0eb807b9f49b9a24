/** How soon a model that has become twice as dear keeps its promise again, under a load that half of the server could no longer take. */
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Requests } from '../harness/endpoints.js';
import type { LoadResult } from '../harness/load.js';
import { Publisher } from '../harness/publisher.js';
import type { Bench, Chart } from '../harness/question.js';
import { administer, startRankd } from '../harness/rankd.js';
import { WARMUP_S, Work } from '../harness/work.js';
import { type BenchModel, benchModel } from '../models/models.js';
import { modelConfig } from './model-config.js';

export const RECONVERGED_WITHIN_S = 5;
/** Of the peak: after the cost has doubled, 1.4 times what the server can take. */
const SHARE = 0.7;
const BEFORE_S = 3;
const AFTER_S = 9;
const ROUNDS = 3;
/** Of the generator's timeline. */
const STEP_MS = 100;
/** From then on so many steps of the timeline are within the promise: one that is not may be the machine's. */
const MOSTLY = 0.9;

export interface Reconvergence {
	/** Of each round; as long as was measured where it never was. */
	settledAfterS: number[];
	/** Completed per second from then on, against half of the peak. */
	goodputKept: number[];
	chart: Chart;
}

interface Options {
	peak: number;
	sloMs: number;
	model: BenchModel;
	requests: Requests;
}

/** One change of cost in the course of a load; times are those of its timeline. */
interface Round {
	result: LoadResult;
	changedAtMs: number;
}

export async function measureReconvergence(bench: Bench, { peak, sloMs, model, requests }: Options): Promise<Reconvergence> {
	const dear = await benchModel('trees-twice', bench.progress);
	const publisher = new Publisher(`${bench.folder}/reconvergence`, model.name);
	// Both serve from the start: loading stands behind requests in line, and would take its time on a core this full.
	const [cheapest, dearest] = [model, dear].map(({ onnx }) => publisher.add(dirname(onnx))) as [string, string];
	const flags = [...modelConfig(bench, model.name, { slo: { p99_ms: sloMs } }), '--model-control', 'explicit'];
	const rounds: Round[] = [];
	for (let round = 0; round < Math.min(ROUNDS, bench.pairs); round++) {
		bench.progress(`the cost doubles, round ${round + 1}`);
		publisher.promote(cheapest);
		// A server that has not met the dear model yet.
		const server = await startRankd(bench, { name: 'reconvergence', repositories: [publisher.repository], flags });
		const work = new Work(bench, server, { name: 'reconvergence', requests });
		const serve = async (version: string): Promise<void> => {
			publisher.promote(version);
			await administer(server, '/v1/repository/sync');
		};
		rounds.push(await measureRound(work, SHARE * peak, 1 + round, { before: () => serve(cheapest), change: () => serve(dearest) }));
		await server.stop();
	}
	const settled = rounds.map((round) => settledAfterMs(round, sloMs));
	return {
		settledAfterS: settled.map((ms) => ms / 1000),
		goodputKept: rounds.map((round, at) => completedFrom(round, settled[at] ?? 0) / (peak / 2)),
		chart: chartOf(rounds, sloMs),
	};
}

interface Change {
	before: () => Promise<void>;
	change: () => Promise<void>;
}

/** A void run is repeated as a whole, from the cheap model on. */
async function measureRound(work: Work, perSecond: number, seed: number, { before, change }: Change): Promise<Round> {
	let changing = Promise.resolve(0);
	const onStart = async () => {
		await changing;
		await before();
		const start = performance.now() + 1000 * WARMUP_S;
		changing = delay(1000 * (WARMUP_S + BEFORE_S))
			.then(change)
			.then(() => performance.now() - start);
		// Awaited behind the load: until then a refusal is nobody's.
		changing.catch(() => {});
	};
	const profile = [{ seconds: BEFORE_S + AFTER_S, per_second: perSecond }];
	const result = await work.offer({ arrivals: 'poisson', profile }, seed, onStart);
	return { result, changedAtMs: await changing };
}

const stepsFrom = ({ result, changedAtMs }: Round, ms: number) => result.timeline.filter(({ at_ms }) => at_ms >= changedAtMs + ms);

/** Until the first step of the timeline from which on most are within the promise. */
export function settledAfterMs(round: Round, sloMs: number): number {
	const isWithin = stepsFrom(round, 0).map(({ p99_us, completed }) => completed > 0 && p99_us <= sloMs * 1000);
	const settled = isWithin.findIndex((within, at) => {
		const rest = isWithin.slice(at);
		return within && rest.filter(Boolean).length >= MOSTLY * rest.length;
	});
	return STEP_MS * (settled === -1 ? isWithin.length : settled);
}

/** Answers per second. */
function completedFrom(round: Round, ms: number): number {
	const steps = stepsFrom(round, ms);
	return steps.reduce((sum, { completed }) => sum + completed, 0) / Math.max(STEP_MS / 1000, (steps.length * STEP_MS) / 1000);
}

function chartOf(rounds: readonly Round[], sloMs: number): Chart {
	const series = rounds.map(({ result, changedAtMs }, round) => ({
		name: `round ${round + 1}`,
		points: result.timeline
			.filter(({ completed }) => completed > 0)
			.map(({ at_ms, p99_us }) => ({ x: (at_ms - changedAtMs) / 1000, y: p99_us / 1000 })),
	}));
	return {
		title: `p99 of what was answered, per tenth of a second, when the cost doubles at 0 s (promised: ${sloMs} ms)`,
		x: { label: 'seconds' },
		y: { label: 'ms from the intended send', log: true },
		series,
	};
}
