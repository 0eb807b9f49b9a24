/** Statistics of `infer` as an engine would have them after a few requests. */
import type { CountedTime, Histogram, InferenceStats } from '../../src/native/addon.js';

/** Each took a µs. */
export const counted = (count: number): CountedTime => ({ count, ns: count * 1000 });
const histogram = (count: number): Histogram => ({ bounds: [1, 2], counts: [count, 0, 0], sum: count });

/** Three requests answered in two runs of four rows and one refused; what a test does not say itself. */
export const fakeInference = (model: string, version: string, said: Partial<InferenceStats> = {}): InferenceStats => ({
	model,
	version,
	lastInference: 5,
	inferenceCount: 12,
	executionCount: 2,
	success: counted(3),
	fail: counted(1),
	queue: counted(3),
	computeInput: counted(3),
	computeInfer: counted(3),
	computeOutput: counted(3),
	cacheHit: counted(0),
	cacheMiss: counted(0),
	failures: { REJECTED: 1, CANCELED: 0, BACKEND: 0, OTHER: 0 },
	pending: 0,
	batches: [{ batchSize: 4, computeInput: counted(2), computeInfer: counted(2), computeOutput: counted(2) }],
	durationsUs: {
		request: histogram(3),
		queue: histogram(3),
		computeInput: histogram(3),
		computeInfer: histogram(3),
		computeOutput: histogram(3),
	},
	...said,
});
