/** What moving bytes costs: the real transports in front of an engine that sends each body back. */
import { type Protocol, type Socket, targetOf, writeRequests } from '../harness/endpoints.js';
import { observedLoad } from '../harness/observed-load.js';
import type { Answer, Bench, Check, Question, Row } from '../harness/question.js';
import { startEcho } from '../servers/start-echo.js';

const SIZES = [64, 1024, 16 * 1024, 64 * 1024];
const SMALL = 64;
const WAYS: readonly { protocol: Protocol; socket: Socket }[] = [
	{ protocol: 'rpc', socket: 'tcp' },
	{ protocol: 'rpc', socket: 'unix' },
	{ protocol: 'json', socket: 'tcp' },
	{ protocol: 'json', socket: 'unix' },
	{ protocol: 'msgpack', socket: 'tcp' },
	{ protocol: 'msgpack', socket: 'unix' },
];
const CONNECTIONS = { rpc: 16, http: 64 };
/** Per RPC connection; fewer of large bodies, so that what is on its way fits the sockets' buffers and a core's cache. */
const IN_FLIGHT = 16;
const IN_FLIGHT_BYTES = 64 * 1024;
/** A server at less than this was waiting for the generator. */
const SATURATED = 0.95;

export const transport: Question = {
	name: 'transport',
	asks: 'What does moving a body cost over RPC and HTTP, TCP and Unix sockets, and does the generator saturate the server?',
	run,
};

interface Measured {
	way: string;
	size: number;
	row: Row;
	perSecond: number;
	serverUtilisation: number;
	generatorUtilisation: number;
}

async function run(bench: Bench): Promise<Answer> {
	const server = await startEcho(bench);
	const measured: Measured[] = [];
	for (const size of SIZES) {
		for (const { protocol, socket } of WAYS) measured.push(await measure(size, protocol, socket));
	}
	return { rows: measured.map(({ row }) => row), checks: checksOf(measured), charts: chartsOf(measured) };

	async function measure(size: number, protocol: Protocol, socket: Socket): Promise<Measured> {
		const way = `${protocol === 'rpc' ? 'rpc' : `http ${protocol}`} ${socket}`;
		bench.progress(`${way}, ${size} B`);
		const requests = { operation: 'rank', target: 'echo', bodies: [bodyOf(size, protocol)] } as const;
		const { result, serverUtilisation, cpuUsPerRequest } = await observedLoad(bench, server, {
			target: targetOf(server, protocol, requests, socket),
			corpus: writeRequests(bench, protocol, requests),
			connections: protocol === 'rpc' ? CONNECTIONS.rpc : CONNECTIONS.http,
			load: { mode: 'closed', in_flight: protocol === 'rpc' ? inFlightOf(size) : 1, seconds: Math.max(1, bench.seconds) },
		});
		const perSecond = result.completed_per_second;
		return {
			way,
			size,
			perSecond,
			serverUtilisation,
			generatorUtilisation: result.generator_utilisation,
			row: {
				transport: way,
				bytes: size,
				'answers/s': perSecond,
				'MB/s each way': (perSecond * size) / 1e6,
				'server core': serverUtilisation,
				'generator core': result.generator_utilisation,
				'CPU µs/answer': cpuUsPerRequest,
				'p50 µs': result.latency_us.p50,
				'p99 µs': result.latency_us.p99,
			},
		};
	}
}

const inFlightOf = (size: number): number => Math.max(1, Math.min(IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / size)));

/** Encoded, the body has about `size` bytes: binary in msgpack, text in JSON. */
const bodyOf = (size: number, protocol: Protocol): unknown => (protocol === 'json' ? 'x'.repeat(size - 2) : Buffer.alloc(size - 2, 120));

function checksOf(measured: readonly Measured[]): Check[] {
	return measured
		.filter(({ size }) => size === SMALL)
		.flatMap(({ way, serverUtilisation, generatorUtilisation }) => [
			{
				name: `${way}: the server's core is full`,
				value: serverUtilisation,
				unit: 'of a core',
				target: `>= ${SATURATED}`,
				ok: serverUtilisation >= SATURATED,
			},
			{
				name: `${way}: the generator's core is not`,
				value: generatorUtilisation,
				unit: 'of a core',
				target: '< 1',
				ok: generatorUtilisation < 1,
			},
		]);
}

function chartsOf(measured: readonly Measured[]): Answer['charts'] {
	const ways = [...new Set(measured.map(({ way }) => way))];
	const series = (value: (point: Measured) => number) =>
		ways.map((name) => ({
			name,
			points: measured.filter(({ way }) => way === name).map((point) => ({ x: point.size, y: value(point) })),
		}));
	const x = { label: 'bytes per body', log: true };
	return [
		{ title: 'Answers per second of one core', x, y: { label: 'answers/s', log: true }, series: series(({ perSecond }) => perSecond) },
		{
			title: 'Bytes moved each way',
			x,
			y: { label: 'MB/s', log: true },
			series: series(({ perSecond, size }) => (perSecond * size) / 1e6),
		},
	];
}
