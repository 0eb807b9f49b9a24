/** The requests that `model_warmup` describes, as bodies of `infer`: run before a version serves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.js';
import { datatypeOf, type ModelConfig, type WarmupInput, type WarmupSample } from './model-config.js';
import { readElements } from './tensor-file.js';

/** Of all samples together: a warm-up is a handful of requests. */
const MOST_REQUESTS = 1000;
const MOST_ELEMENTS = 1 << 22;

interface BodyTensor {
	name: string;
	datatype: string;
	shape: number[];
	data: (number | boolean | string)[];
}

interface Body {
	inputs: BodyTensor[];
}

/** JSON has no FP16 and no BF16, so samples with such inputs are left out. */
export const isRunnable = ({ inputs = {} }: WarmupSample): boolean =>
	!Object.values(inputs).some(({ data_type }) => data_type === 'TYPE_FP16' || data_type === 'TYPE_BF16');

/**
 * @param folder of the model; data files lie in its folder `warmup`
 * @throws EngineError `BUNDLE_INVALID` naming sample and input
 */
export function warmupRequests({ model_warmup: samples = [], max_batch_size = 0 }: ModelConfig, folder: string): Body[] {
	const runnable = samples.filter(isRunnable);
	const requests = runnable.reduce((sum, { count }) => sum + (count || 1), 0);
	if (requests > MOST_REQUESTS) throw invalid(`model_warmup has ${requests} requests, at most ${MOST_REQUESTS} are run`);
	const rows = ({ batch_size: size }: WarmupSample) => (max_batch_size > 0 ? [size || 1] : []);
	const bodyOf = (sample: WarmupSample): Body => ({
		inputs: Object.entries(sample.inputs ?? {}).map(([name, input]) => {
			const where = `model_warmup ${JSON.stringify(sample.name ?? '')} input ${JSON.stringify(name)}`;
			return within(where, () => tensorOf(name, input, [...rows(sample), ...(input.dims ?? [])], join(folder, 'warmup')));
		}),
	});
	return runnable.flatMap((sample) => Array<Body>(sample.count || 1).fill(bodyOf(sample)));
}

function tensorOf(name: string, input: WarmupInput, shape: number[], folder: string): BodyTensor {
	const datatype = datatypeOf(input.data_type);
	if (datatype === undefined) throw new Error('data_type is missing');
	const count = shape.reduce((product, dimension) => product * dimension, 1);
	if (shape.some((dimension) => dimension < 0)) throw new Error(`dims must be whole, got [${shape.join(', ')}]`);
	if (count > MOST_ELEMENTS) throw new Error(`it has ${count} elements, at most ${MOST_ELEMENTS} are read`);
	return { name, datatype, shape, data: dataOf(input, datatype, count, folder) };
}

function dataOf({ input_data_file: file, random_data }: WarmupInput, datatype: string, count: number, folder: string): BodyTensor['data'] {
	if (file === undefined) return Array.from({ length: count }, () => element(datatype, random_data ? Math.random() : 0));
	if (file.includes('/') || file.includes('\0') || file === '..') throw new Error(`${JSON.stringify(file)} is no name of a file`);
	return readElements(readFileSync(join(folder, file)), datatype, count);
}

/** Small numbers, so that they are indices where a graph looks something up. @param number from 0 to 1 */
function element(datatype: string, number: number): number | boolean | string {
	if (datatype === 'BOOL') return number >= 0.5;
	if (datatype === 'BYTES') return String(Math.floor(number * 10));
	return datatype.startsWith('FP') ? number : Math.round(number);
}

function within<T>(where: string, work: () => T): T {
	try {
		return work();
	} catch (cause) {
		throw invalid(`${where}: ${(cause as Error).message}`, cause);
	}
}

const invalid = (message: string, cause?: unknown) => new EngineError('BUNDLE_INVALID', message, { cause });
