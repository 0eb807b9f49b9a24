/** `infer`: what rankd adds to a run of ONNX Runtime, for any graph; batch 1, one request at a time. */
import { type BareResult, bareRun } from '../harness/bare-run.js';
import type { Protocol, Requests, Socket } from '../harness/endpoints.js';
import { interleave } from '../harness/interleave.js';
import { mergeLoads } from '../harness/merge-loads.js';
import type { Observed } from '../harness/observed-load.js';
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { random } from '../harness/random.js';
import { startRankd } from '../harness/rankd.js';
import { median } from '../harness/statistics.js';
import { Work } from '../harness/work.js';
import { benchModel } from '../models/models.js';
import { type OwnModel, ownModel, parseShapes } from '../models/own-model.js';
import { errorCheck, generatorCheck } from './checks.js';

/** Of the median, over RPC. */
const OVERHEAD_TARGET_US = 30;
const VARIANTS = 256;

export const infer: Question = {
	name: 'infer',
	asks: 'What does rankd add to a bare run of ONNX Runtime, at batch 1, over each transport?',
	run,
};

interface Graph {
	model: Pick<OwnModel, 'name' | 'repository' | 'onnx'>;
	/** float32 but for the integers named here, which are 0. */
	shapes: Record<string, number[]>;
	integers?: readonly string[];
}

interface Way {
	label: string;
	protocol: Protocol;
	socket: Socket;
}

const ways: readonly Way[] = [
	{ label: 'RPC', protocol: 'rpc', socket: 'tcp' },
	{ label: 'RPC, Unix socket', protocol: 'rpc', socket: 'unix' },
	{ label: 'HTTP, msgpack', protocol: 'msgpack', socket: 'tcp' },
	{ label: 'HTTP, JSON', protocol: 'json', socket: 'tcp' },
	{ label: 'OIP, binary', protocol: 'oip-binary', socket: 'tcp' },
	{ label: 'OIP, JSON', protocol: 'oip-json', socket: 'tcp' },
];

/** Those of the bench, or the caller's own with --onnx and --shapes; its inputs are taken for float32. */
async function chosenGraphs(bench: Bench): Promise<readonly Graph[]> {
	const { onnx, shapes } = bench.narrowed;
	if (onnx !== undefined) return [{ model: ownModel(onnx, `${bench.folder}/own`), shapes: parseShapes(shapes) }];
	const ranker = { user_embedding: [1, 256], row_user: [16], item_embedding: [16, 256] };
	return [
		{ model: await benchModel('mlp', bench.progress), shapes: { x: [1, 64] } },
		{ model: await benchModel('trees', bench.progress), shapes: { rows: [1, 247] } },
		{ model: await benchModel('ranker-u64', bench.progress), shapes: ranker, integers: ['row_user'] },
	];
}

async function run(bench: Bench): Promise<Answer> {
	const graphs = await chosenGraphs(bench);
	const server = await startRankd(bench, { repositories: graphs.map(({ model }) => model.repository) });
	const subjects = graphs.flatMap((graph) =>
		ways.map((way) => {
			const requests = inferRequests(graph, way.protocol);
			const name = `${graph.model.name} over ${way.label}`;
			return { graph, way, alone: new Work(bench, server, { name, requests, ...way, connections: 1, inFlight: 1 }), name };
		}),
	);
	const seconds = bench.seconds / bench.pairs;
	const bare = new Map<Graph, BareResult[]>(graphs.map((graph) => [graph, []]));
	const measured = await interleave<Observed | undefined>(
		[
			...graphs.map((graph) => ({
				name: `${graph.model.name} alone`,
				measure: async (round: number) => {
					bench.progress(`round ${round + 1}: ${graph.model.name}, ONNX Runtime alone`);
					bare.get(graph)?.push(await bareRun(bench, { onnx: graph.model.onnx, shapes: graph.shapes, seconds: Math.max(1, seconds) }));
					return undefined;
				},
			})),
			...subjects.map(({ alone, name }) => ({
				name,
				measure: (round: number) => {
					bench.progress(`round ${round + 1}: ${name}`);
					return alone.closed(seconds);
				},
			})),
		],
		bench.pairs,
	);
	const rows: Row[] = [];
	const checks: Check[] = [];
	for (const { graph, way, name } of subjects) {
		const rounds = (measured.get(name) ?? []).filter((observed) => observed !== undefined);
		const bareUs = median((bare.get(graph) ?? []).map(({ p50_us }) => p50_us));
		const { latency_us: latency, completed_per_second } = mergeLoads(rounds.map(({ result }) => result));
		// Round by round, so that a machine that drifts disturbs both alike.
		const overheads = rounds.map(({ result }, round) => result.latency_us.p50 - (bare.get(graph)?.[round]?.p50_us ?? bareUs));
		const overheadUs = median(overheads);
		rows.push({
			graph: graph.model.name,
			over: way.label,
			'p50 µs': latency.p50,
			'p99 µs': latency.p99,
			'alone p50 µs': bareUs,
			'added p50 µs': overheadUs,
			'CPU µs': median(rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
			'req/s': completed_per_second,
		});
		if (way.protocol !== 'rpc') continue;
		const ok = overheadUs <= OVERHEAD_TARGET_US;
		checks.push({ name: `${name}: added to the median`, value: overheadUs, unit: 'µs', target: `<= ${OVERHEAD_TARGET_US}`, ok });
	}
	const loads = subjects.flatMap(({ name }) => (measured.get(name) ?? []).flatMap((observed) => (observed ? [observed.result] : [])));
	return { rows, checks: [...checks, errorCheck(loads), generatorCheck(loads)], charts: [chartOf(rows)] };
}

/** One request in flight: the median of what a caller waits beyond the graph's own run. */
function chartOf(rows: readonly Row[]): Answer['charts'][number] {
	const series = ways.map(({ label }) => ({
		name: label,
		points: rows.filter(({ over }) => over === label).map((row) => ({ x: Number(row['alone p50 µs']), y: Number(row['p50 µs']) })),
	}));
	return {
		title: 'infer: a caller waits so long for a run that takes so long',
		x: { label: 'ONNX Runtime alone, median, µs', log: true },
		y: { label: 'over rankd, median, µs', log: true },
		series: series.map(({ name, points }) => ({ name, points: points.sort((a, b) => a.x - b.x) })),
	};
}

function inferRequests({ model, shapes, integers = [] }: Graph, protocol: Protocol): Requests {
	const next = random(1);
	const tensor = ([name, shape]: [string, number[]]) => {
		const size = shape.reduce((product, dimension) => product * dimension, 1);
		const isInteger = integers.includes(name);
		const data = isInteger ? new BigInt64Array(size) : Float32Array.from({ length: size }, () => 2 * next() - 1);
		return { name, datatype: isInteger ? 'INT64' : 'FP32', shape, data: isText(protocol) ? Array.from(data, Number) : bytesOf(data) };
	};
	const body = () => ({ inputs: Object.entries(shapes).map(tensor) });
	return { operation: 'infer', target: model.name, bodies: Array.from({ length: VARIANTS }, body) };
}

const isText = (protocol: Protocol): boolean => protocol === 'json' || protocol === 'oip-json';
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);
