/** Frames by hand over a raw socket, decoded: for what the client would never send. */
import { pack, unpack } from 'msgpackr';
import type { Operation } from '../../src/native/addon.js';
import { maskedFrame, RawWebSocket } from './raw-websocket.js';

export interface RawAnswer {
	id: unknown;
	number: number;
	body: Record<string, unknown>;
}

export interface RawRequest {
	id?: unknown;
	operation?: Operation | number;
	target?: string;
	deadlineMs?: number | null;
	body?: unknown;
}

/** A frame with everything at its default but what is given. */
export const frame = ({ id = 1, operation = 1, target = 'tiny', deadlineMs = null, body = {} }: RawRequest = {}): Uint8Array =>
	pack([1, operation, id, target, deadlineMs, null, null, body]);

export const read = (message: Uint8Array): RawAnswer => {
	const [, id, number, , , body] = unpack(message) as [number, unknown, number, number, boolean, Record<string, unknown>];
	return { id, number, body };
};

/** Sends frames in one segment and waits for as many answers. */
export async function exchange(port: number, frames: readonly Uint8Array[]): Promise<RawAnswer[]> {
	const peer = await RawWebSocket.connect(port);
	peer.socket.write(Buffer.concat(frames.map((bytes) => maskedFrame(bytes))));
	const messages = await peer.waitForMessages(frames.length);
	peer.socket.destroy();
	return messages.map(read);
}

export async function ask(port: number, bytes: Uint8Array): Promise<RawAnswer> {
	const [answer] = await exchange(port, [bytes]);
	return answer as RawAnswer;
}
