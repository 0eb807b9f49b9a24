/** Asks whether a port is free before uWebSockets listens: it would share the port with another process in silence. */
import { connect, createServer } from 'node:net';
import { EngineError } from '../errors.js';

/** Binds exclusively for a moment. @throws EngineError `PORT_IN_USE` | `INVALID_CONFIG` */
export function probePort(host: string, port: number): Promise<void> {
	if (port === 0) return Promise.resolve();
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once('error', (cause: NodeJS.ErrnoException) => reject(explained(host, port, cause)));
		probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
	});
}

function explained(host: string, port: number, cause: NodeJS.ErrnoException): EngineError {
	if (cause.code === 'EADDRINUSE') {
		return new EngineError('PORT_IN_USE', `port ${port} is already in use by another process; stop it or choose another with --http-port`, {
			cause,
		});
	}
	if (cause.code === 'EACCES') {
		return new EngineError('INVALID_CONFIG', `http_port ${port} is reserved for the system; choose one from 1024 with --http-port`, {
			cause,
		});
	}
	return new EngineError('INVALID_CONFIG', `cannot listen on host ${host}, port ${port}: ${cause.message}`, { cause });
}

/** uWebSockets takes a socket's path away from whoever listens on it. @throws EngineError `PORT_IN_USE` when somebody does */
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
