/** Clients that no server likes: some send and never read, some vanish in the middle. WebSocket by hand, because no library is that rude. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const BINARY = 2;
const KEY = Buffer.from('a rude client 16').toString('base64');

/** An RPC connection that is up. @param port on 127.0.0.1 */
async function dial(port: number): Promise<Socket> {
	const socket = connect(port, '127.0.0.1');
	// A server that cuts it off does what is asked of it here.
	socket.on('error', () => {});
	await once(socket, 'connect');
	const head = ['GET /rpc HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${KEY}`];
	socket.write(`${head.join('\r\n')}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
	await once(socket, 'readable');
	return socket;
}

/** A frame as clients must mask it; a key of zeros leaves the bytes as they are. */
export function clientFrame(payload: Uint8Array): Buffer {
	const size = payload.byteLength;
	const head = Buffer.alloc(size < 126 ? 6 : size < 65_536 ? 8 : 14);
	head[0] = 0x80 | BINARY;
	if (size < 126) {
		head[1] = 0x80 | size;
	} else if (size < 65_536) {
		head[1] = 0x80 | 126;
		head.writeUInt16BE(size, 2);
	} else {
		head[1] = 0x80 | 127;
		head.writeBigUInt64BE(BigInt(size), 2);
	}
	return Buffer.concat([head, payload]);
}

/** `count` clients, a few at a time, that send `frames` and are gone before any answer. */
export async function vanish(port: number, count: number, frames: readonly Uint8Array[]): Promise<void> {
	const bytes = Buffer.concat(frames.map(clientFrame));
	for (let at = 0; at < count; at++) {
		const socket = await dial(port);
		// The kernel has the bytes, and the server finds them before it finds that nobody waits.
		await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
		socket.destroy();
	}
}

/** What became of clients that never read. */
export interface NeverRead {
	/** The server has cut them off. */
	cut: number;
	/** The server has stopped reading from them. */
	held: number;
}

/** `count` clients at once that ask and never read, each up to `rounds` times, or until the server cuts it off or takes nothing for `patienceMs`. */
export async function neverRead(
	port: number,
	{ count, rounds, patienceMs }: { count: number; rounds: number; patienceMs: number },
	frame: Uint8Array,
): Promise<NeverRead> {
	const bytes = clientFrame(frame);
	const ends = await Promise.all(
		Array.from({ length: count }, async () => {
			const socket = await dial(port);
			let isTaken = true;
			for (let round = 0; round < rounds && isTaken; round++) isTaken = await taken(socket, bytes, patienceMs);
			const end = { cut: Number(socket.destroyed), held: Number(!socket.destroyed && !isTaken) };
			socket.destroy();
			return end;
		}),
	);
	return { cut: ends.reduce((sum, { cut }) => sum + cut, 0), held: ends.reduce((sum, { held }) => sum + held, 0) };
}

/** Resolves to whether the kernel has taken the bytes, before the connection is gone or patience ends. */
function taken(socket: Socket, bytes: Uint8Array, patienceMs: number): Promise<boolean> {
	if (socket.destroyed) return Promise.resolve(false);
	return new Promise((resolve) => {
		const settle = (isTaken: boolean) => {
			clearTimeout(over);
			socket.off('close', gone);
			resolve(isTaken);
		};
		const gone = () => settle(false);
		const over = setTimeout(gone, patienceMs);
		socket.once('close', gone);
		socket.write(bytes, (error) => settle(!error));
	});
}
