/** The ways into a server, as the generator needs them: transport, content type, and TCP or a Unix socket. */
import { frameOf, jsonBody, msgpackBody, writeCorpus } from './corpus.js';
import type { LoadSpec } from './load.js';
import { LENGTH_HEADER, oipBinaryBody, oipJsonLength } from './oip-body.js';
import type { Bench } from './question.js';
import type { Listening } from './rankd.js';

/** The last two are the Open Inference Protocol's, for `infer` alone. */
export type Protocol = 'rpc' | 'json' | 'msgpack' | 'oip-json' | 'oip-binary';
export type Socket = 'tcp' | 'unix';

/** One operation's requests. */
export interface Requests {
	operation: 'recommend' | 'rank' | 'similar' | 'score' | 'infer';
	target: string;
	bodies: readonly unknown[];
	/** Of each body, where a result is to tell kinds of requests apart. */
	groups?: readonly number[];
}

/** As frames have it. */
export const operationNumber = { recommend: 1, rank: 2, similar: 3, score: 4, infer: 5 } as const;

let corpora = 0;

/** Writes the requests as one protocol has them. @param deadlineMs makes room for one in each frame @returns the corpus file */
export function writeRequests(bench: Bench, protocol: Protocol, { operation, target, bodies }: Requests, deadlineMs?: number): string {
	const path = `${bench.folder}/${corpora++}.corpus`;
	const encode: Record<Protocol, (body: unknown) => Uint8Array> = {
		rpc: (body) => frameOf({ operation: operationNumber[operation], target, body, ...(deadlineMs !== undefined && { deadlineMs }) }),
		json: jsonBody,
		msgpack: msgpackBody,
		'oip-json': jsonBody,
		'oip-binary': oipBinaryBody,
	};
	writeCorpus(path, bodies.map(encode[protocol]));
	return path;
}

/** Where such requests go. */
export function targetOf(
	listening: Listening,
	protocol: Protocol,
	{ operation, target, bodies }: Requests,
	socket: Socket = 'tcp',
): LoadSpec['target'] {
	const addresses = [listening[socket]];
	if (protocol === 'rpc') return { transport: 'rpc', addresses, path: '/rpc' };
	const name = encodeURIComponent(target);
	if (protocol === 'oip-json') return { transport: 'http', addresses, path: `/v2/models/${name}/infer` };
	if (protocol === 'oip-binary') {
		const headers = { [LENGTH_HEADER]: String(oipJsonLength(bodies)) };
		return { transport: 'http', addresses, path: `/v2/models/${name}/infer`, headers };
	}
	return { transport: 'http', addresses, path: `/v1/${operation}/${name}`, headers: { 'content-type': `application/${protocol}` } };
}
