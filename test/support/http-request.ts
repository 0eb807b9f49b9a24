/** HTTP by node:http: every byte and header is the test's, nothing is added or retried. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface HttpAnswer {
	status: number;
	headers: IncomingHttpHeaders;
	body: Buffer;
	json: () => Record<string, unknown>;
}

export interface HttpOptions {
	method?: string;
	headers?: Record<string, string>;
	/** Several parts are sent as chunks. */
	body?: string | Uint8Array | readonly (string | Uint8Array)[];
	agent?: Agent;
}

export function http(url: string, { method = 'GET', headers = {}, body, agent = new Agent() }: HttpOptions = {}): Promise<HttpAnswer> {
	return new Promise((resolve, reject) => {
		const call = request(url, { method, headers, agent }, (response) => {
			const parts: Buffer[] = [];
			response.on('data', (part: Buffer) => parts.push(part));
			response.on('error', reject);
			response.on('end', () => {
				const whole = Buffer.concat(parts);
				resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, json: () => JSON.parse(whole.toString()) });
			});
		});
		call.on('error', reject);
		if (Array.isArray(body)) {
			for (const part of body) call.write(part);
			call.end();
		} else {
			call.end(body as string | Uint8Array | undefined);
		}
	});
}

export const post = (url: string, body: HttpOptions['body'], headers: Record<string, string> = {}): Promise<HttpAnswer> =>
	http(url, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
