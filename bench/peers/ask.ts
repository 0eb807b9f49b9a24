/** One request to a server, outside of any measurement, in the very bytes that are measured afterwards. */
import { once } from 'node:events';
import { request } from 'node:http';
import WebSocket from 'ws';
import type { Content } from './content.js';
import type { Form, Served } from './forms.js';

/** @throws Error with the server's words when it does not answer well */
export async function ask(address: string, form: Form, content: Content): Promise<Served> {
	const path = form.path(content.work);
	const bytes = form.encode(content);
	const answer =
		form.transport === 'rpc' ? await overWebSocket(`ws://${address}${path}`, bytes) : await overHttp(`http://${address}${path}`, bytes);
	return form.decode(content.work, answer);
}

async function overWebSocket(url: string, frame: Uint8Array): Promise<Buffer> {
	const socket = new WebSocket(url);
	try {
		await once(socket, 'open');
		socket.send(frame);
		const [answer] = await once(socket, 'message');
		return answer as Buffer;
	} finally {
		socket.close();
	}
}

/** @throws Error for any status but 200 */
async function overHttp(url: string, body: Uint8Array): Promise<Buffer> {
	const { status, answer } = await post(url, body);
	if (status !== 200) throw new Error(`${url} answers ${status}: ${answer.toString().slice(0, 300)}`);
	return answer;
}

export function post(url: string, body: Uint8Array): Promise<{ status: number; answer: Buffer }> {
	return new Promise((resolve, reject) => {
		const call = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } }, async (response) => {
			try {
				const answer = Buffer.concat(await response.toArray());
				resolve({ status: response.statusCode ?? 0, answer });
			} catch (error) {
				reject(error);
			}
		});
		call.once('error', reject);
		call.end(body);
	});
}
