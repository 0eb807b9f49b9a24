/** Holds the arrows of the C++ rings: `native/` may include inwards only, and each foreign library has its one ring. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './setup/paths.mjs';

/** Every ring and the rings it may include from, itself understood. */
const inward = {
	base: [],
	wire: ['base'],
	kernels: ['base'],
	session: ['kernels', 'wire', 'base'],
	graph: ['base'],
	index: ['kernels', 'wire', 'base'],
	store: ['kernels', 'wire', 'base'],
	pipeline: ['session', 'graph', 'index', 'store', 'kernels', 'wire', 'base'],
	engine: ['pipeline', 'session', 'graph', 'index', 'store', 'kernels', 'wire', 'base'],
	napi: ['engine', 'pipeline', 'session', 'graph', 'index', 'store', 'kernels', 'wire', 'base'],
};
/** Outside the rings: they may see everything. */
const outside = ['tools', 'tests', 'fuzz', 'bench'];

/** Foreign headers and the only places (a ring, or files of a ring) that may include them. */
const foreign = [
	{ name: 'Node headers', header: /^(napi|node_api|js_native_api|node|v8|uv)([-_.].*)?\.h$/, places: ['napi/'] },
	{ name: 'ONNX Runtime', header: /^(core\/session\/)?onnxruntime/, places: ['session/'] },
	{ name: 'hnswlib', header: /(^|\/)hnswlib\.h$|^hnswlib\//, places: ['index/'] },
	{ name: 'simdjson', header: /^simdjson/, places: ['wire/', 'pipeline/json_fields.'] },
];

/**
 * @param files [{path, text}], paths relative to native/
 * @returns one sentence per offending line, `native/index/index.h:3: …`
 */
export function findViolations(files) {
	return files.flatMap(({ path, text }) =>
		text.split('\n').flatMap((line, at) => {
			const include = line.match(/^\s*#\s*include\s*(["<])([^">]+)[">]/);
			const problem = include && problemOf(path, include[2], include[1] === '"');
			return problem ? [`native/${path}:${at + 1}: ${problem}\n    ${line.trim()}`] : [];
		}),
	);
}

function problemOf(path, header, quoted) {
	const ring = path.split('/')[0];
	if (outside.includes(ring)) return undefined;
	if (!(ring in inward)) return `"${ring}" is no ring; known are ${Object.keys(inward).join(', ')}`;
	const library = foreign.find((entry) => entry.header.test(header));
	if (library) {
		if (library.places.some((place) => path.startsWith(place))) return undefined;
		return `only ${library.places.map((place) => `native/${place}`).join(', ')} may include ${library.name}`;
	}
	if (!quoted) return undefined;
	const target = header.split('/')[0];
	if (!header.includes('/') || !(target in inward || outside.includes(target)))
		return 'an include in quotes is a path from native/, such as "base/status.h"';
	if (target === ring || inward[ring].includes(target)) return undefined;
	return `${ring} may not know ${target}; it may include from ${[ring, ...inward[ring]].join(', ')}`;
}

/** The C++ files under native/, sorted. */
export function nativeSources() {
	const native = join(root, 'native');
	return readdirSync(native, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.(h|cc|inc)$/.test(entry.name))
		.map((entry) => relative(native, join(entry.parentPath, entry.name)))
		.sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const paths = nativeSources();
	const violations = findViolations(paths.map((path) => ({ path, text: readFileSync(join(root, 'native', path), 'utf8') })));
	for (const violation of violations) console.log(violation);
	console.log(`${paths.length} files, ${violations.length} includes against the arrows`);
	process.exitCode = violations.length === 0 ? 0 : 1;
}
