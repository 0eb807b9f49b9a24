/** What an operator may say about one model, as the flags of a server that reads it. */
import { writeFileSync } from 'node:fs';
import type { Bench } from '../harness/question.js';

/** As configuration files have it. */
export interface ModelBounds {
	slo?: { p99_ms: number };
	max_batch_us?: number;
	max_wait_ms?: number;
}

let files = 0;

export function modelConfig(bench: Bench, model: string, bounds: ModelBounds): string[] {
	const path = `${bench.folder}/${files++}.yaml`;
	// JSON is YAML.
	writeFileSync(path, JSON.stringify({ models: { [model]: bounds } }));
	return ['--config', path];
}
