/** Statistics of a whole server: after any mix of requests, reloads and callers that go, every counter is what was sent. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { InferenceStats } from '../../src/native/addon.js';
import { type HttpAnswer, http, post } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { type Server, tritonModels, withServer } from '../support/with-server.js';

const models = ['simple', 'cached', 'gather'] as const;
type Model = (typeof models)[number];

interface Ask {
	do: 'ask';
	model: Model;
	/** Some of what is asked fails, in ways of its own. */
	how: 'well' | 'misshapen' | 'out of range' | 'late';
	rows: number;
	/** Requests with one seed are the same. */
	seed: number;
}
type Action = Ask | { do: 'reload'; model: Model };

/** What was answered, by model. */
interface Tally {
	answered: number;
	rows: number;
	failures: InferenceStats['failures'];
	/** Of `cached`: rows by what a run made up, which no two runs of one load have in common. */
	nonces: Map<string, number>;
	loads: number;
}
const newTally = (): Tally => ({
	answered: 0,
	rows: 0,
	failures: { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 },
	nonces: new Map(),
	loads: 1,
});

const flags = { modelRepository: [tritonModels], modelControl: 'explicit', loadModel: [...models, 'slow'], responseCacheMib: 16 };

function bodyOf({ model, how, rows, seed }: Ask): string {
	const width = { simple: 16, cached: 4, gather: 1 }[model] + (how === 'misshapen' ? 1 : 0);
	const datatype = { simple: 'INT32', cached: 'FP32', gather: 'INT64' }[model];
	const data = Array.from({ length: rows * width }, (_, at) => (how === 'out of range' ? 1000 : (seed + at) % 8));
	const tensor = (name: string) => ({ name, datatype, shape: [rows, width], data });
	const inputs = model === 'simple' ? [tensor('INPUT0'), tensor('INPUT1')] : [tensor('INPUT0')];
	return JSON.stringify({ inputs, ...(how === 'late' ? { parameters: { timeout: 1 } } : {}) });
}

/** As the metrics name it; the answer's own code decides, since an index is out of range in one model alone. */
function reasonOf(code: string | undefined): keyof InferenceStats['failures'] {
	if (code === 'MODEL_FAILED') return 'BACKEND';
	return code === 'DEADLINE_EXCEEDED' || code === 'OVERLOADED' ? 'REJECTED' : 'OTHER';
}

function note(tally: Tally, { rows }: Ask, answer: HttpAnswer): void {
	const { code, outputs } = answer.json() as { code?: string; outputs: { name: string; data: number[] }[] };
	if (answer.status !== 200) {
		tally.failures[reasonOf(code)]++;
		return;
	}
	tally.answered++;
	tally.rows += rows;
	const nonce = outputs.find(({ name }) => name === 'NONCE');
	if (nonce !== undefined) tally.nonces.set(`${tally.loads}: ${nonce.data}`, rows);
}

async function act({ base }: Server, action: Action, tallies: Record<Model, Tally>): Promise<void> {
	if (action.do === 'reload') {
		expect((await post(`${base}/v2/repository/models/${action.model}/load`, '')).status).toBe(200);
		tallies[action.model].loads++;
	} else {
		note(tallies[action.model], action, await post(`${base}/v2/models/${action.model}/infer`, bodyOf(action)));
	}
}

/** What a graph makes up begins anew with each load, so `cached` is loaded before the others of a burst ask it. */
async function actAtOnce(server: Server, burst: readonly Action[], tallies: Record<Model, Tally>): Promise<void> {
	const isFirst = (action: Action) => action.do === 'reload' && action.model === 'cached';
	for (const action of burst.filter(isFirst)) await act(server, action, tallies);
	await Promise.all(burst.filter((action) => !isFirst(action)).map((action) => act(server, action, tallies)));
}

const statsOf = ({ engine }: Server, model: string): InferenceStats =>
	engine.stats().inference.find((each) => each.model === model) as InferenceStats;

/** Runs of each size, as rows and as runs. */
const sumsOf = ({ batches }: InferenceStats) => ({
	rows: batches.reduce((sum, { batchSize, computeInfer }) => sum + batchSize * computeInfer.count, 0),
	runs: batches.reduce((sum, { computeInfer }) => sum + computeInfer.count, 0),
});

function check(seen: InferenceStats, sent: Tally, isCached: boolean): void {
	const failed = Object.values(sent.failures).reduce((a, b) => a + b);
	const computed = isCached ? sent.nonces.size : sent.answered;
	expect(seen.success.count).toBe(sent.answered);
	expect(seen.queue.count).toBe(sent.answered);
	expect(seen.failures).toEqual(sent.failures);
	expect(seen.fail.count).toBe(failed);
	expect([seen.computeInput.count, seen.computeInfer.count, seen.computeOutput.count]).toEqual([computed, computed, computed]);
	expect([seen.cacheHit.count, seen.cacheMiss.count]).toEqual(isCached ? [sent.answered - computed, computed] : [0, 0]);
	expect(seen.inferenceCount).toBe(isCached ? [...sent.nonces.values()].reduce((a, b) => a + b, 0) : sent.rows);
	expect(sumsOf(seen)).toEqual({ rows: seen.inferenceCount, runs: seen.executionCount });
	expect(seen.pending).toBe(0);
}

const model = fc.constantFrom(...models);
const ask = fc.record({
	do: fc.constant('ask' as const),
	model,
	how: fc.constantFrom('well' as const, 'well' as const, 'well' as const, 'misshapen' as const, 'out of range' as const, 'late' as const),
	rows: fc.integer({ min: 1, max: 4 }),
	seed: fc.nat(3),
});
const reload = fc.record({ do: fc.constant('reload' as const), model });
const bursts = fc.array(fc.array(fc.oneof({ weight: 12, arbitrary: ask }, { weight: 1, arbitrary: reload }), { maxLength: 24 }), {
	minLength: 1,
	maxLength: 4,
});

test('every counter is what was sent, whatever was sent at once and whatever was loaded anew meanwhile', () =>
	withServer(async (server) => {
		const tallies = { simple: newTally(), cached: newTally(), gather: newTally() };
		await fc.assert(
			fc.asyncProperty(bursts, async (all) => {
				for (const burst of all) await actAtOnce(server, burst, tallies);
				for (const name of models) check(statsOf(server, name), tallies[name], name === 'cached');
			}),
			// A failure could not be shrunk: the counters of a server only rise.
			{ numRuns: 12, endOnFailure: true },
		);
		const scrape = parseMetrics((await http(`${server.base}/metrics`)).body.toString());
		for (const name of models) {
			const seen = statsOf(server, name);
			const shown = (metric: string, more = '') => scrape.get(`${metric}{model="${name}",version="1"${more}}`);
			expect(shown('nv_inference_request_success')).toBe(seen.success.count);
			expect(shown('nv_inference_request_failure', ',reason="OTHER"')).toBe(seen.failures.OTHER);
			expect(shown('nv_inference_count')).toBe(seen.inferenceCount);
			expect(shown('nv_inference_exec_count')).toBe(seen.executionCount);
			expect(shown('nv_inference_request_duration_us')).toBe(seen.success.ns / 1000);
			expect(shown('nv_cache_num_hits_per_model')).toBe(seen.cacheHit.count);
		}
	}, flags));

describe('a caller that goes', () => {
	const row = JSON.stringify({ inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] });

	test('is counted once: as cancelled, or answered when its answer was quicker', () =>
		withServer(async (server) => {
			const url = `${server.base}/v2/models/slow/infer`;
			const ended = () => statsOf(server, 'slow').success.count + statsOf(server, 'slow').fail.count;
			for (let i = 1; i <= 10; i++) {
				const going = new AbortController();
				const call = fetch(url, { method: 'POST', body: row, signal: going.signal }).catch(() => undefined);
				await vi.waitUntil(() => server.engine.stats().openRequests > 0 || ended() === i, { interval: 1 });
				going.abort();
				await call;
				await vi.waitUntil(() => ended() === i && server.engine.stats().openRequests === 0);
			}
			const { success, failures, pending } = statsOf(server, 'slow');
			expect(success.count + failures.CANCELED).toBe(10);
			expect(pending).toBe(0);
		}, flags));
});

test('unloading a version drops what it had counted', () =>
	withServer(async (server) => {
		const tallies = { simple: newTally(), cached: newTally(), gather: newTally() };
		await act(server, { do: 'ask', model: 'simple', how: 'well', rows: 2, seed: 0 }, tallies);
		expect(statsOf(server, 'simple').inferenceCount).toBe(2);
		for (const verb of ['unload', 'load']) await post(`${server.base}/v2/repository/models/simple/${verb}`, '');
		expect(statsOf(server, 'simple').inferenceCount).toBe(0);
		expect(statsOf(server, 'simple').success.count).toBe(0);
	}, flags));
