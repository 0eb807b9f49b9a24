/** The server of this checkout as a process under measurement. */

import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { inRoot } from './paths.js';
import type { Bench, ServerOptions } from './question.js';
import type { Server } from './server.js';

/** Where a server listens, in the generator's words. */
export interface Listening {
	readonly port: number;
	/** `127.0.0.1:port` */
	readonly tcp: string;
	/** `unix:/path` */
	readonly unix: string;
	/** `http://127.0.0.1:port` */
	readonly base: string;
}

export interface RankdOptions {
	/** Default: the models that ship. */
	repositories?: readonly string[];
	/** More of `rankd serve`'s flags, for example `['--io-threads', '2']`. */
	flags?: readonly string[];
	/** Default `rankd`. */
	name?: string;
	cores?: readonly number[];
	/** Default: `GET /v2/health/ready` answers 200. */
	isReady?: (listening: Listening) => Promise<boolean>;
	pollMs?: number;
}

export async function startRankd(bench: Bench, options: RankdOptions = {}): Promise<Server & Listening> {
	const { repositories = [inRoot('models')], flags = [], name = 'rankd', isReady = isHealthy } = options;
	const command = (listening: Listening) => [
		...[process.execPath, inRoot('dist', 'cli.js'), 'serve', '--log-level', 'warn', '--exit-on-error'],
		...['--host', '127.0.0.1', '--http-port', String(listening.port), '--unix-socket', listening.unix.slice('unix:'.length)],
		...repositories.flatMap((folder) => ['--model-repository', folder]),
		...['--metrics-port', '0', ...flags],
	];
	const { cores, pollMs } = options;
	return await startListening(bench, command, { name, isReady, ...(cores && { cores }), ...(pollMs && { pollMs }) });
}

type Rest = Omit<ServerOptions, 'command' | 'isReady'> & { isReady?: (listening: Listening) => Promise<boolean> };

let sockets = 0;

/** Chooses a free port and a socket's path, and starts what listens on both. */
export async function startListening(
	bench: Bench,
	command: (listening: Listening) => readonly string[],
	{ isReady = isHealthy, ...rest }: Rest,
): Promise<Server & Listening> {
	const port = await freePort();
	const listening = { port, tcp: `127.0.0.1:${port}`, unix: `unix:${bench.folder}/${sockets++}.sock`, base: `http://127.0.0.1:${port}` };
	const server = await bench.startServer({ ...rest, command: command(listening), isReady: () => isReady(listening) });
	return withListening(server, listening);
}

/** The server's methods live on its class: it is passed on whole. */
const withListening = (server: Server, listening: Listening): Server & Listening => Object.assign(server, listening);

export const isHealthy = ({ base }: Listening): Promise<boolean> => answers(`${base}/v2/health/ready`);

/** Whether a GET, or a POST of `body`, is answered with 200. One connection per call: none is left open in the server. */
export function answers(url: string, body?: string | Uint8Array, contentType = 'application/json'): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const post = { method: 'POST', headers: { 'content-type': contentType } };
		const call = request(url, { agent: false, timeout: 30_000, ...(body !== undefined && post) }, (response) => {
			response.resume();
			response.once('end', () => resolve(response.statusCode === 200));
		});
		call.once('error', reject);
		call.end(body);
	});
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, 'close');
	return port;
}
