/** Any ONNX file as a model repository of one bundle, for `infer`. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../harness/failures.js';

export interface OwnModel {
	name: string;
	repository: string;
	onnx: string;
}

/** @param folder where the repository is written. @throws UsageError when the file is not there */
export function ownModel(onnx: string, folder: string): OwnModel {
	if (!existsSync(onnx)) throw new UsageError(`--onnx: there is no file ${onnx}`);
	const name = 'own';
	const bundle = join(folder, name, '1.0.0');
	mkdirSync(bundle, { recursive: true });
	copyFileSync(onnx, join(bundle, 'model.onnx'));
	const bytes = readFileSync(onnx);
	const files = { 'model.onnx': { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength } };
	const graphs = { model: { file: 'model.onnx' } };
	const manifest = { format: 1, name, version: '1.0.0', kind: 'model', graphs, default_graph: 'model', files };
	writeFileSync(join(bundle, 'manifest.json'), JSON.stringify(manifest));
	return { name, repository: folder, onnx };
}

/** @throws UsageError for anything but an object of lists of dimensions */
export function parseShapes(json: string | undefined): Record<string, number[]> {
	const wanted = `--shapes must be the shape of each input, such as {"x": [1, 64]}`;
	if (json === undefined) throw new UsageError(`--onnx needs --shapes: ${wanted}`);
	try {
		const shapes = JSON.parse(json) as Record<string, number[]>;
		const lists = Object.values(shapes);
		const isShape = (list: unknown) => Array.isArray(list) && list.every((size) => Number.isInteger(size) && size > 0);
		if (lists.length > 0 && lists.every(isShape)) return shapes;
	} catch {
		// Told below, as any other slip.
	}
	throw new UsageError(`${wanted}, got ${json}`);
}
