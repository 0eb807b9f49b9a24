/** What ONNX Runtime does alone with a graph on the server's core, for scale. */
import { existsSync } from 'node:fs';
import { Unmeasurable } from './failures.js';
import { inRoot } from './paths.js';
import type { Bench } from './question.js';

export interface BareResult {
	runs_per_second: number;
	p50_us: number;
	p99_us: number;
}

/**
 * @param shapes the shape of each of the graph's inputs
 * @throws Unmeasurable when bare-run is not built, or fails
 */
export async function bareRun(
	bench: Bench,
	{ onnx, shapes, seconds }: { onnx: string; shapes: Record<string, number[]>; seconds: number },
): Promise<BareResult> {
	const program = inRoot('build', 'cmake', 'bare-run');
	if (!existsSync(program)) throw new Unmeasurable('bare-run is not built: run npm run bench, which builds it');
	const stdout = await bench.runPinned([program, '--model', onnx, '--shapes', JSON.stringify(shapes), '--seconds', String(seconds)]);
	return JSON.parse(stdout) as BareResult;
}
