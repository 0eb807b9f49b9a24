/** A port that is taken is told, instead of shared in silence. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { probePort, probeUnixSocket } from '../../src/server/port-probe.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { withFakeServer } from '../support/with-fake-server.js';

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
	await expect(probePort('127.0.0.1', port)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
	server.close();
	await once(server, 'close');
	await probePort('127.0.0.1', port);
	await probePort('127.0.0.1', port);
});

test('a host that is not ours is named', async () => {
	await expect(probePort('203.0.113.7', 18_999)).rejects.toMatchObject({
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
