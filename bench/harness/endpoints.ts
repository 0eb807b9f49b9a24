/** The ways into a server, as the generator needs them: transport, content type, and TCP or a Unix socket. */
import { frameOf, jsonBody, msgpackBody, writeCorpus } from './corpus.js';
import type { LoadSpec } from './load.js';
import type { Bench } from './question.js';
import type { Listening } from './rankd.js';

export type Protocol = 'rpc' | 'json' | 'msgpack';
export type Socket = 'tcp' | 'unix';

/** One operation's requests. */
export interface Requests {
	operation: 'recommend' | 'rank' | 'similar' | 'score' | 'infer';
	target: string;
	bodies: readonly unknown[];
}

const operationNumber = { recommend: 1, rank: 2, similar: 3, score: 4, infer: 5 } as const;

let corpora = 0;

/** Writes the requests as one protocol has them. @returns the corpus file */
export function writeRequests(bench: Bench, protocol: Protocol, { operation, target, bodies }: Requests): string {
	const path = `${bench.folder}/${corpora++}.corpus`;
	const encode: Record<Protocol, (body: unknown) => Uint8Array> = {
		rpc: (body) => frameOf({ operation: operationNumber[operation], target, body }),
		json: jsonBody,
		msgpack: msgpackBody,
	};
	writeCorpus(path, bodies.map(encode[protocol]));
	return path;
}

/** Where such requests go. */
export function targetOf(
	listening: Listening,
	protocol: Protocol,
	{ operation, target }: Pick<Requests, 'operation' | 'target'>,
	socket: Socket = 'tcp',
): LoadSpec['target'] {
	const addresses = [listening[socket]];
	if (protocol === 'rpc') return { transport: 'rpc', addresses, path: '/rpc' };
	const headers = { 'content-type': `application/${protocol}` };
	return { transport: 'http', addresses, path: `/v1/${operation}/${encodeURIComponent(target)}`, headers };
}
