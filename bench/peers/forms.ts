/** The forms in which servers take requests and give answers. */
import { unpack } from 'msgpackr';
import { frameOf, jsonBody } from '../harness/corpus.js';
import type { LoadSpec } from '../harness/load.js';
import type { Content, WorkName } from './content.js';

/** An answer without its form: numbers of `infer` and `score`, or scores of `rank` with their ids, best first. */
export interface Served {
	values: number[];
	ids: number[];
}

export interface Form {
	transport: LoadSpec['target']['transport'];
	path(work: WorkName): string;
	encode(content: Content): Uint8Array;
	/** @throws Error when it is no answer of this form */
	decode(work: WorkName, answer: Buffer): Served;
}

/** What a user of a web framework would define. */
export const plainJson: Form = {
	transport: 'http',
	path: (work) => `/${work}`,
	encode: (content) => jsonBody(plainBody(content)),
	decode(work, answer) {
		const body = JSON.parse(answer.toString());
		if (work === 'rank') return rankedItems(body.items);
		return { values: (work === 'infer' ? body.y : body.scores).flat(), ids: [] };
	},
};

function plainBody(content: Content): unknown {
	if (content.work === 'infer') return { x: [content.x] };
	if (content.work === 'score') return { rows: [content.row] };
	return rankBody(content);
}

/** The Open Inference Protocol, tensors as [requests, …]. */
export const inferenceProtocol: Form = {
	transport: 'http',
	path: (work) => `/v2/models/${work}/infer`,
	encode: (content) => jsonBody({ inputs: tensorsOf(content) }),
	decode(work, answer) {
		const { outputs } = JSON.parse(answer.toString()) as { outputs: { name: string; data: number[] }[] };
		const data = (name: string) => outputs.find((output) => output.name === name)?.data ?? [];
		if (work === 'rank') return { values: data('score'), ids: data('id') };
		return { values: outputs[0]?.data ?? [], ids: [] };
	},
};

function tensorsOf(content: Content): unknown[] {
	const tensor = (name: string, datatype: string, data: readonly number[]) => ({ name, datatype, shape: [1, data.length], data });
	if (content.work === 'infer') return [tensor('x', 'FP32', content.x)];
	if (content.work === 'score') return [tensor('rows', 'FP32', content.row)];
	return [tensor('user', 'INT64', [content.user]), tensor('candidates', 'INT64', content.candidates), tensor('k', 'INT64', [content.k])];
}

/** The generated bundles, as rankd names them. */
const targets: Record<WorkName, string> = { infer: 'mlp', rank: 'ranker-u64', score: 'trees' };
const operations: Record<WorkName, number> = { rank: 2, score: 4, infer: 5 };

/** What rankd's client sends: numbers as bytes, over a WebSocket. */
export const rankdRpc: Form = {
	transport: 'rpc',
	path: () => '/rpc',
	encode: (content) => frameOf({ operation: operations[content.work], target: targets[content.work], body: rpcBody(content) }),
	decode(work, frame) {
		const [, , code, , , body] = unpack(frame);
		if (code !== 0) throw new Error(`rankd answers code ${code}: ${JSON.stringify(body)}`);
		if (work === 'rank') return rankedItems(body.items);
		return { values: floatsOf(work === 'infer' ? body.outputs[0].data : body.scores), ids: [] };
	},
};

function rpcBody(content: Content): unknown {
	if (content.work === 'infer')
		return { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, content.x.length], data: bytesOf(content.x) }] };
	if (content.work === 'score') return { rows: bytesOf(content.row) };
	const ids = BigUint64Array.from(content.candidates, BigInt);
	return { user: content.user, candidates: Buffer.from(ids.buffer), id_type: 'u64', k: content.k };
}

/** The same JSON that the peers read, for who cannot use RPC; `rank` alone. */
export const rankdJson: Form = {
	transport: 'http',
	path: (work) => `/v1/${work}/${targets[work]}`,
	encode: (content) => jsonBody(plainBody(content)),
	decode: plainJson.decode,
};

const rankBody = ({ user, candidates, k }: Content & { work: 'rank' }) => ({ user, candidates, k });
const bytesOf = (numbers: readonly number[]): Buffer => Buffer.from(Float32Array.from(numbers).buffer);

function floatsOf(bytes: Uint8Array): number[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function rankedItems(items: readonly { id: number | bigint; score: number }[]): Served {
	return { values: items.map(({ score }) => score), ids: items.map(({ id }) => Number(id)) };
}
