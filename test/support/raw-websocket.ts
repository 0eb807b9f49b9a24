/** A WebSocket peer by hand: it decides what shares a TCP segment, and can be as rude as a test wants. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { vi } from 'vitest';

export const Opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawFrame {
	opcode: number;
	payload: Buffer;
}

/** One masked frame, as clients must send them. */
export function maskedFrame(payload: Uint8Array, opcode: number = Opcode.binary): Buffer {
	const size = payload.byteLength;
	const length =
		size < 126 ? [0x80 | size] : size < 65_536 ? [0x80 | 126, size >> 8, size & 0xff] : [0x80 | 127, 0, 0, 0, 0, ...bigEndian(size)];
	const mask = Buffer.from([0x11, 0x22, 0x33, 0x44]);
	const masked = Buffer.from(payload);
	for (let at = 0; at < size; at++) masked[at] = (masked[at] as number) ^ (mask[at % 4] as number);
	return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, masked]);
}

const bigEndian = (size: number): number[] => [size >>> 24, (size >>> 16) & 0xff, (size >>> 8) & 0xff, size & 0xff];

export class RawWebSocket {
	readonly socket: Socket;
	readonly frames: RawFrame[] = [];
	isEnded = false;
	#rest = Buffer.alloc(0);

	private constructor(socket: Socket) {
		this.socket = socket;
		socket.on('close', () => {
			this.isEnded = true;
		});
		socket.on('error', () => {
			this.isEnded = true;
		});
	}

	/** @param where a port of this machine, or a Unix socket's path */
	static async connect(where: number | string): Promise<RawWebSocket> {
		const socket = typeof where === 'string' ? connect(where) : connect(where, '127.0.0.1');
		await once(socket, 'connect');
		socket.setNoDelay(true);
		const key = Buffer.from('sixteen bytes ok').toString('base64');
		socket.write(
			`GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
		);
		const [response] = (await once(socket, 'data')) as [Buffer];
		if (!response.toString().startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${response}`);
		const peer = new RawWebSocket(socket);
		socket.on('data', (bytes: Buffer) => peer.#receive(bytes));
		return peer;
	}

	/** Binary messages received so far. */
	get messages(): Buffer[] {
		return this.frames.filter(({ opcode }) => opcode === Opcode.binary).map(({ payload }) => payload);
	}

	/** The code of the close frame, once it came. */
	get closeCode(): number | undefined {
		const frame = this.frames.find(({ opcode }) => opcode === Opcode.close);
		return frame?.payload.readUInt16BE(0);
	}

	async waitForMessages(count: number): Promise<Buffer[]> {
		await vi.waitUntil(() => this.messages.length >= count, { timeout: 10_000 });
		return this.messages;
	}

	#receive(bytes: Buffer): void {
		this.#rest = Buffer.concat([this.#rest, bytes]);
		for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) this.frames.push(frame);
	}

	/** Frames of a server are not masked. */
	#nextFrame(): RawFrame | undefined {
		if (this.#rest.length < 2) return undefined;
		const short = (this.#rest[1] as number) & 0x7f;
		const start = short === 126 ? 4 : short === 127 ? 10 : 2;
		if (this.#rest.length < start) return undefined;
		const size = short === 126 ? this.#rest.readUInt16BE(2) : short === 127 ? Number(this.#rest.readBigUInt64BE(2)) : short;
		if (this.#rest.length < start + size) return undefined;
		const frame = { opcode: (this.#rest[0] as number) & 0x0f, payload: this.#rest.subarray(start, start + size) };
		this.#rest = this.#rest.subarray(start + size);
		return frame;
	}
}
