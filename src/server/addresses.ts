/**
 * Where a server will listen, asked once before any thread does: uWebSockets would share a port with another process, and take a
 * Unix socket from it, in silence.
 */
import { connect, createServer } from 'node:net';
import type { Config } from '../config/keys.js';
import { EngineError } from '../errors.js';

export interface Addresses {
	host: string;
	httpPort: number;
	metricsPort: number;
	/** One per I/O thread, or none. */
	unixSockets: string[];
}

type AddressConfig = Pick<Config, 'host' | 'httpPort' | 'metricsPort' | 'unixSocket' | 'ioThreads'>;

/** @throws EngineError `PORT_IN_USE` | `INVALID_CONFIG` */
export async function claimAddresses({ host, httpPort, metricsPort, unixSocket, ioThreads }: AddressConfig): Promise<Addresses> {
	if (httpPort === metricsPort && httpPort !== 0)
		throw new EngineError('INVALID_CONFIG', `http_port and metrics_port are both ${httpPort}; choose two`);
	const unixSockets = unixSocket === undefined ? [] : unixSocketsOf(unixSocket, ioThreads);
	for (const path of unixSockets) await probeUnixSocket(path);
	const http = await claimPort(host, httpPort, 'http_port');
	return { host, httpPort: http, metricsPort: await claimPort(host, metricsPort, 'metrics_port', http), unixSockets };
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
 * @param other a port that has been given away already
 * @returns the port. @throws EngineError `PORT_IN_USE` | `INVALID_CONFIG`
 */
export async function claimPort(host: string, port: number, key: 'http_port' | 'metrics_port', other?: number): Promise<number> {
	const claimed = await bindOnce(host, port, key);
	return claimed === other ? claimPort(host, port, key, other) : claimed;
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
