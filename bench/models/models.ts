/** The generated bundles of the bench: made once by make.py, remade when it changes. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../harness/paths.js';
import { pythonEnvironment } from '../harness/python-environment.js';
import { runTool } from '../harness/run-tool.js';

export type BenchModelName = 'ranker-u64' | 'ranker-text' | 'retriever' | 'mlp' | 'trees' | 'trees-twice';

export interface BenchModel {
	/** As requests name it. */
	name: BenchModelName;
	/** For `--model-repository`. */
	repository: string;
	items: number;
	users: number;
	/** The graph that does the work, as every server runs it. */
	onnx: string;
	/** The same tables as arrays, float32 [rows, 256]; user row 0 is the unknown user. */
	npy?: { item: string; user: string };
}

const packages = ['numpy==2.4.6', 'onnx==1.23.2'];
const shapes: Record<BenchModelName, { items: number; users: number; graph: string }> = {
	'ranker-u64': { items: 100_000, users: 10_000, graph: 'ranker.onnx' },
	'ranker-text': { items: 100_000, users: 10_000, graph: 'ranker.onnx' },
	retriever: { items: 100_000, users: 10_000, graph: 'ranker.onnx' },
	mlp: { items: 0, users: 0, graph: 'mlp.onnx' },
	trees: { items: 0, users: 0, graph: 'trees.onnx' },
	'trees-twice': { items: 0, users: 0, graph: 'trees.onnx' },
};

/** Item ids of `ranker-u64` and `retriever` are `1000 + 7 * row`, of `ranker-text` `item-<row>`; users count from 1 (`user-1`). */
export async function benchModel(name: BenchModelName, progress: (text: string) => void): Promise<BenchModel> {
	const folder = inRoot('build', 'bench', 'models', name);
	const { items, users, graph } = shapes[name];
	const script = inRoot('bench', 'models', 'make.py');
	const stamp = join(folder, 'stamp.txt');
	const wanted = createHash('sha256').update(readFileSync(script)).update(packages.join()).digest('hex');
	if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
		const environment = { name: 'models', folder: inRoot('build', 'bench', 'models-environment'), packages };
		const python = await pythonEnvironment(environment, progress);
		progress(`${name}: generating the bundle`);
		rmSync(folder, { recursive: true, force: true });
		await runTool([python, script, name, '--out', folder, '--tool', inRoot('build', 'cmake', 'rankd-bundle')]);
		writeFileSync(stamp, wanted);
	}
	const repository = join(folder, 'repository');
	const tables = { item: join(folder, 'npy', 'item.npy'), user: join(folder, 'npy', 'user.npy') };
	return { name, repository, items, users, onnx: join(repository, name, '1.0.0', graph), ...(items > 0 && { npy: tables }) };
}
