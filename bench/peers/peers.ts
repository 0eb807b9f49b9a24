/** The servers that rankd is compared with: how each is started and spoken to. README.md here tells why each is written as it is. */
import { join } from 'node:path';
import { freePort } from '../harness/free-port.js';
import { inRoot } from '../harness/paths.js';
import type { Bench } from '../harness/question.js';
import { answers } from '../harness/rankd.js';
import type { Server } from '../harness/server.js';
import type { BenchModel } from '../models/models.js';
import type { Environment, EnvironmentName } from './environments.js';
import { type Form, inferenceProtocol, plainJson } from './forms.js';

export interface Peer {
	name: string;
	environment: EnvironmentName;
	form: Form;
	/** GET, 200 once it serves all models. */
	readyPath: string;
	command(environment: Environment): string[];
	/** More of its environment variables. */
	settings?(port: number): Promise<Record<string, string>>;
}

export interface PeerModels {
	infer: BenchModel;
	rank: BenchModel;
	score: BenchModel;
}

const pythonSource = inRoot('bench', 'peers', 'python');
const nodeServer = (file: string) => (found: Environment) => [found.program, join(found.folder, file)];
const pythonServer = (file: string) => (found: Environment) => [found.program, join(pythonSource, file)];

export const peers: readonly Peer[] = [
	{
		name: 'fastapi',
		environment: 'fastapi',
		form: plainJson,
		readyPath: '/health',
		command: pythonServer('fastapi_app.py'),
	},
	{
		name: 'onnxruntime-node-fastify',
		environment: 'node',
		form: plainJson,
		readyPath: '/health',
		command: nodeServer('fastify.mjs'),
	},
	{
		name: 'onnxruntime-node-uws',
		environment: 'node',
		form: plainJson,
		readyPath: '/health',
		command: nodeServer('uws.mjs'),
	},
	{
		name: 'litserve',
		environment: 'litserve',
		form: plainJson,
		readyPath: '/health',
		command: pythonServer('litserve_app.py'),
	},
	{
		name: 'mlserver',
		environment: 'mlserver',
		form: inferenceProtocol,
		readyPath: '/v2/models/rank/ready',
		command: ({ folder }) => [join(folder, 'bin', 'mlserver'), 'start', join(pythonSource, 'mlserver')],
		settings: async (port) => ({
			MLSERVER_HOST: '127.0.0.1',
			MLSERVER_HTTP_PORT: String(port),
			// It opens these two whether or not anybody asks there.
			MLSERVER_GRPC_PORT: String(await freePort()),
			MLSERVER_METRICS_PORT: String(await freePort()),
			// Inference in the server's own process: a worker would share its core and cost a hop.
			MLSERVER_PARALLEL_WORKERS: '0',
			// Without it every request is logged.
			MLSERVER_DEBUG: 'false',
			MLSERVER_GZIP_ENABLED: 'false',
		}),
	},
];

/** The server and where it listens, `127.0.0.1:port`. @throws Unmeasurable when it does not get ready */
export async function startPeer(
	bench: Bench,
	peer: Peer,
	found: Environment,
	models: PeerModels,
): Promise<{ server: Server; address: string }> {
	const port = await freePort();
	const env = {
		PEER_PORT: String(port),
		PEER_INFER_MODEL: models.infer.onnx,
		PEER_SCORE_MODEL: models.score.onnx,
		PEER_RANK_MODEL: models.rank.onnx,
		PEER_ITEMS: models.rank.npy?.item ?? '',
		PEER_USERS: models.rank.npy?.user ?? '',
		PYTHONPATH: pythonSource,
		PYTHONDONTWRITEBYTECODE: '1',
		...(await peer.settings?.(port)),
	};
	const server = await bench.startServer({
		name: peer.name,
		command: peer.command(found),
		env,
		// What a server writes beside itself stays out of the sources.
		cwd: found.folder,
		isReady: () => answers(`http://127.0.0.1:${port}${peer.readyPath}`),
	});
	return { server, address: `127.0.0.1:${port}` };
}
