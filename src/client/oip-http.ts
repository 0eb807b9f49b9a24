/** HTTP calls over connections that stay: a request goes out, the whole answer comes back. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { EngineError } from '../errors.js';

export interface OipCall {
	method: 'GET' | 'POST';
	/** From `/v2` on. */
	path: string;
	body?: Uint8Array;
	headers?: Readonly<Record<string, string>>;
}

export interface OipReply {
	status: number;
	headers: IncomingMessage['headers'];
	body: Buffer;
}

export class OipHttp {
	readonly #bases: readonly URL[];
	readonly #agents: { 'http:': HttpAgent; 'https:': HttpsAgent };
	/** Hosts are asked in turn, so that the next attempt goes elsewhere. */
	#next = 0;

	/** @param connections kept open to each host; calls beyond it wait for one */
	constructor(bases: readonly URL[], connections: number) {
		this.#bases = bases;
		// The connection used last is the least likely to have been closed by its server meanwhile.
		const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' } as const;
		this.#agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
	}

	/** @param signal its reason rejects the promise. @throws EngineError `CONNECTION_LOST`, or the signal's reason */
	send(call: OipCall, signal: AbortSignal): Promise<OipReply> {
		const base = this.#bases[this.#next++ % this.#bases.length] as URL;
		return new Promise((resolve, reject) => {
			const fail = (cause: Error) => reject(signal.aborted ? signal.reason : lost(base, cause));
			const request = this.#request(base, call, signal);
			request.on('error', fail);
			request.on('response', (response) => readReply(response).then(resolve, fail));
			request.end(call.body);
		});
	}

	close(): void {
		for (const agent of Object.values(this.#agents)) agent.destroy();
	}

	#request(base: URL, { method, path, body, headers }: OipCall, signal: AbortSignal) {
		const length = body === undefined ? {} : { 'Content-Length': body.byteLength };
		const options = { method, signal, headers: { ...headers, ...length } };
		const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
		if (base.protocol === 'https:') return httpsRequest(url, { ...options, agent: this.#agents['https:'] });
		return httpRequest(url, { ...options, agent: this.#agents['http:'] });
	}
}

async function readReply(response: IncomingMessage): Promise<OipReply> {
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk);
	return {
		status: response.statusCode ?? 0,
		headers: response.headers,
		body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
	};
}

function lost({ host }: URL, cause: Error): EngineError {
	return new EngineError('CONNECTION_LOST', `no answer from ${host}: ${cause.message}`, { cause });
}
