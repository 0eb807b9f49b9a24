/** The server of this checkout as a process under measurement. */

import { request } from 'node:http';
import { Unmeasurable } from './failures.js';
import { freePort } from './free-port.js';
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

/** A bundle may take a while to load. */
const CALL_TIMEOUT_MS = 30_000;

/** A running rankd. */
export interface Rankd extends Server, Listening {
	/** `http://127.0.0.1:port` of metrics, health and administration. */
	readonly admin: string;
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

export async function startRankd(bench: Bench, options: RankdOptions = {}): Promise<Rankd> {
	const { repositories = [inRoot('models')], flags = [], name = 'rankd', isReady = isHealthy } = options;
	const adminPort = await freePort();
	const command = (listening: Listening) => [
		...[process.execPath, inRoot('dist', 'cli.js'), 'serve', '--log-level', 'warn', '--exit-on-error'],
		...['--host', '127.0.0.1', '--http-port', String(listening.port), '--unix-socket', listening.unix.slice('unix:'.length)],
		...repositories.flatMap((folder) => ['--model-repository', folder]),
		...['--metrics-port', String(adminPort), '--grpc-port', '0', ...flags],
	];
	const { cores, pollMs } = options;
	const server = await startListening(bench, command, { name, isReady, ...(cores && { cores }), ...(pollMs && { pollMs }) });
	return Object.assign(server, { admin: `http://127.0.0.1:${adminPort}` });
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

/** Whether a GET, or a POST of `body`, is answered with 200. */
export const answers = async (url: string, body?: string | Uint8Array, contentType?: string): Promise<boolean> =>
	(await call(url, body, contentType)).status === 200;

/** A GET, or a POST of `body`. One connection per call: none is left open in the server. */
export function call(url: string, body?: string | Uint8Array, contentType = 'application/json'): Promise<{ status: number; text: string }> {
	return new Promise((resolve, reject) => {
		const post = { method: 'POST', headers: { 'content-type': contentType } };
		const asked = request(url, { agent: false, timeout: CALL_TIMEOUT_MS, ...(body !== undefined && post) }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (part) => {
				text += part;
			});
			response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
		});
		asked.once('error', reject);
		asked.end(body);
	});
}

/** Asks the administration for a change. @throws Unmeasurable with its answer when it refuses */
export async function administer({ admin }: Rankd, path: string, body: object = {}): Promise<void> {
	const { status, text } = await call(`${admin}${path}`, JSON.stringify(body));
	if (status !== 200) throw new Unmeasurable(`POST ${path} was answered with ${status}: ${text}`);
}
