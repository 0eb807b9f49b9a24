/** Ports and sockets are asked for once: one that is taken is told, instead of shared in silence. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { claimAddresses, claimPort, probeUnixSocket, unixSocketsOf } from '../../src/server/addresses.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { withFakeServer } from '../support/with-fake-server.js';

const anyPorts = {
	host: '127.0.0.1',
	httpPort: 0,
	grpcPort: 0,
	metricsPort: 0,
	allowHttp: true,
	allowGrpc: true,
	allowMetrics: true,
	unixSocket: undefined,
	ioThreads: 2,
};

test('a second server on the same port is refused, the first serves on', () =>
	withFakeServer(async ({ port, base }) => {
		await expect(withFakeServer(async () => {}, { httpPort: port })).rejects.toMatchObject({
			code: 'PORT_IN_USE',
			message: `port ${port} is already in use by another process; stop it or choose another with --http-port`,
		});
		expect((await fetch(`${base}/v2/health/live`)).status).toBe(200);
	}));

test('a free port is free, and stays so', async () => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	await expect(claimPort('127.0.0.1', port, 'metrics_port')).rejects.toMatchObject({
		code: 'PORT_IN_USE',
		message: expect.stringContaining('--metrics-port'),
	});
	server.close();
	await once(server, 'close');
	expect(await claimPort('127.0.0.1', port, 'http_port')).toBe(port);
	expect(await claimPort('127.0.0.1', port, 'http_port')).toBe(port);
});

test('a host that is not ours is named', async () => {
	await expect(claimPort('203.0.113.7', 18_999, 'http_port')).rejects.toMatchObject({
		code: 'INVALID_CONFIG',
		message: expect.stringContaining('203.0.113.7'),
	});
});

test('a Unix socket that somebody serves is not taken from them', async () => {
	const path = join(temporaryFolder(), 'rankd.sock');
	await probeUnixSocket(path);
	const server = createServer().listen(path);
	onTestFinished(() => {
		server.close();
	});
	await once(server, 'listening');
	await expect(probeUnixSocket(path)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
});

test('any free port is known before the threads share it, and is not the other one', async () => {
	const { httpPort, grpcPort, metricsPort } = await claimAddresses(anyPorts);
	for (const port of [httpPort, grpcPort, metricsPort]) expect(port).toBeGreaterThan(0);
	expect(new Set([httpPort, grpcPort, metricsPort]).size).toBe(3);
	const same = claimAddresses({ ...anyPorts, httpPort: httpPort as number, metricsPort: httpPort as number });
	await expect(same).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining('http_port and metrics_port') });
});

test('a port that nobody is to listen on is not asked for', async () => {
	const server = createServer().listen(0, '127.0.0.1');
	onTestFinished(() => {
		server.close();
	});
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	const addresses = await claimAddresses({ ...anyPorts, grpcPort: port, metricsPort: port, allowGrpc: false, allowMetrics: false });
	expect(addresses).toMatchObject({ httpPort: expect.any(Number), grpcPort: undefined, metricsPort: undefined });
});

test('every I/O thread has a Unix socket of its own, and each is probed', async () => {
	expect(unixSocketsOf('/run/rankd.sock', 3)).toEqual(['/run/rankd.sock', '/run/rankd.sock.1', '/run/rankd.sock.2']);
	expect(unixSocketsOf('/run/rankd-{thread}.sock', 2)).toEqual(['/run/rankd-0.sock', '/run/rankd-1.sock']);
	const path = join(temporaryFolder(), 'rankd.sock');
	const server = createServer().listen(`${path}.1`);
	onTestFinished(() => {
		server.close();
	});
	await once(server, 'listening');
	const claim = claimAddresses({ ...anyPorts, unixSocket: path });
	await expect(claim).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(`${path}.1`) });
});
