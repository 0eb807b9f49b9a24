import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownModel, parseShapes } from '../../bench/models/own-model.js';

test('any file becomes a bundle with its checksum', () => {
	const folder = mkdtempSync(join(tmpdir(), 'rankd-own-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	const onnx = join(folder, 'graph.onnx');
	writeFileSync(onnx, 'abc');
	const { repository, name } = ownModel(onnx, join(folder, 'repository'));
	const manifest = JSON.parse(readFileSync(join(repository, name, '1.0.0', 'manifest.json'), 'utf8'));
	expect(manifest).toMatchObject({ kind: 'model', default_graph: 'model' });
	expect(manifest.files['model.onnx']).toEqual({
		sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
		bytes: 3,
	});
	expect(() => ownModel(join(folder, 'nothing.onnx'), folder)).toThrow('there is no file');
});

test('shapes are an object of lists of dimensions, and nothing else', () => {
	expect(parseShapes('{"x": [1, 64], "y": [3]}')).toEqual({ x: [1, 64], y: [3] });
	for (const slip of [undefined, '', '{}', '[1]', '{"x": 1}', '{"x": [0]}', '{"x": [1.5]}']) {
		expect(() => parseShapes(slip)).toThrow('--shapes must be the shape of each input');
	}
});
