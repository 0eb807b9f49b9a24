/**
 * Where a server will listen, asked once before any thread does: uWebSockets would share a port with another process, and take a
 * Unix socket from it, in silence.
 */
import { connect, createServer } from 'node:net';
import type { Config } from '../config/keys.js';
import { EngineError } from '../errors.js';

/** A port is undefined where nothing is to listen. */
export interface Addresses {
	host: string;
	httpPort: number | undefined;
	grpcPort: number | undefined;
	metricsPort: number | undefined;
	/** One per I/O thread, or none. */
	unixSockets: string[];
}

type AddressConfig = Pick<
	Config,
	'host' | 'httpPort' | 'grpcPort' | 'metricsPort' | 'allowHttp' | 'allowGrpc' | 'allowMetrics' | 'unixSocket' | 'ioThreads'
>;

type PortKey = 'http_port' | 'grpc_port' | 'metrics_port';

/** @throws EngineError `PORT_IN_USE` | `INVALID_CONFIG` */
export async function claimAddresses(config: AddressConfig): Promise<Addresses> {
	const { host, unixSocket, ioThreads } = config;
	const unixSockets = unixSocket === undefined ? [] : unixSocketsOf(unixSocket, ioThreads);
	for (const path of unixSockets) await probeUnixSocket(path);
	const ports = new Map<PortKey, number>();
	for (const [key, port] of wantedPorts(config)) ports.set(key, await claimPort(host, port, key, [...ports.values()]));
	return { host, httpPort: ports.get('http_port'), grpcPort: ports.get('grpc_port'), metricsPort: ports.get('metrics_port'), unixSockets };
}

/** Chosen ports go before any that is free, which might be one of them. */
function wantedPorts({ httpPort, allowHttp, grpcPort, allowGrpc, metricsPort, allowMetrics }: AddressConfig): [PortKey, number][] {
	const all: [PortKey, number, boolean][] = [
		['http_port', httpPort, allowHttp],
		['grpc_port', grpcPort, allowGrpc],
		['metrics_port', metricsPort, allowMetrics],
	];
	const wanted = all.filter(([, , isAllowed]) => isAllowed).map(([key, port]): [PortKey, number] => [key, port]);
	for (const [at, [key, port]] of wanted.entries()) {
		const twin = wanted.slice(0, at).find(([, other]) => port !== 0 && other === port);
		if (twin !== undefined) throw new EngineError('INVALID_CONFIG', `${twin[0]} and ${key} are both ${port}; choose two`);
	}
	return wanted.sort(([, a], [, b]) => Number(a === 0) - Number(b === 0));
}

/** A path of its own for every thread: `{thread}` in it is the thread's number, else all but the first get `.1`, `.2` … at the end. */
export function unixSocketsOf(path: string, threads: number): string[] {
	const numbers = Array.from({ length: threads }, (_, thread) => thread);
	if (path.includes('{thread}')) return numbers.map((thread) => path.replaceAll('{thread}', String(thread)));
	return numbers.map((thread) => (thread === 0 ? path : `${path}.${thread}`));
}

/**
 * Binds exclusively for a moment.
 * @param port  0 takes one that is free: threads can share a port only when it is known
 * @param key   the configuration key, for the message
 * @param taken ports that have been given away already
 * @returns the port. @throws EngineError `PORT_IN_USE` | `INVALID_CONFIG`
 */
export async function claimPort(host: string, port: number, key: PortKey, taken: readonly number[] = []): Promise<number> {
	const claimed = await bindOnce(host, port, key);
	return taken.includes(claimed) ? claimPort(host, port, key, taken) : claimed;
}

function bindOnce(host: string, port: number, key: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once('error', (cause: NodeJS.ErrnoException) => reject(explained(host, port, key, cause)));
		probe.listen({ host, port, exclusive: true }, () => {
			const { port: bound } = probe.address() as { port: number };
			probe.close(() => resolve(bound));
		});
	});
}

function explained(host: string, port: number, key: string, cause: NodeJS.ErrnoException): EngineError {
	const flag = `--${key.replaceAll('_', '-')}`;
	if (cause.code === 'EADDRINUSE') {
		const message = `port ${port} is already in use by another process; stop it or choose another with ${flag}`;
		return new EngineError('PORT_IN_USE', message, { cause });
	}
	if (cause.code === 'EACCES') {
		const message = `${key} ${port} is reserved for the system; choose one from 1024 with ${flag}`;
		return new EngineError('INVALID_CONFIG', message, { cause });
	}
	return new EngineError('INVALID_CONFIG', `cannot listen on host ${host}, port ${port}: ${cause.message}`, { cause });
}

/** @throws EngineError `PORT_IN_USE` when somebody serves that path */
export function probeUnixSocket(path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const probe = connect(path);
		probe.once('error', () => resolve());
		probe.once('connect', () => {
			probe.destroy();
			reject(new EngineError('PORT_IN_USE', `${path} is already served by another process; stop it or choose another with --unix-socket`));
		});
	});
}
