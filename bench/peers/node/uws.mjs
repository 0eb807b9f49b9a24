/** uWebSockets.js in front of onnxruntime-node: JSON.parse, a check by hand, JSON.stringify. */
import uws from 'uWebSockets.js';
import { BadRequest, inferModel, ranker, rowsOf, scoreModel } from './models.mjs';

const isNumbers = (value) => Array.isArray(value) && value.every(Number.isFinite);
const isMatrix = (value) => Array.isArray(value) && value.length > 0 && value.every(isNumbers);
const isWhole = (value) => Number.isInteger(value);

const routes = {
	'/infer': async ({ x }) => {
		if (!isMatrix(x)) throw new BadRequest('x: expected rows of numbers');
		return { y: rowsOf(await inferModel.run(x)) };
	},
	'/score': async ({ rows }) => {
		if (!isMatrix(rows)) throw new BadRequest('rows: expected rows of numbers');
		return { scores: Array.from((await scoreModel.run(rows)).data) };
	},
	'/rank': async ({ user, candidates, k = 10 }) => {
		if (!isWhole(user)) throw new BadRequest('user: expected a whole number');
		if (!Array.isArray(candidates) || !candidates.every(isWhole)) throw new BadRequest('candidates: expected a list of ids');
		if (!isWhole(k) || k < 1) throw new BadRequest('k: expected a whole number from 1');
		return { items: await ranker.rank(user, candidates, k) };
	},
};

/** Collects the body; its bytes are only lent while the callback runs. */
function readBody(res) {
	return new Promise((resolve) => {
		let collected;
		res.onData((chunk, isLast) => {
			if (isLast && !collected) return resolve(Buffer.from(chunk).toString());
			collected = collected ? Buffer.concat([collected, Buffer.from(chunk)]) : Buffer.concat([Buffer.from(chunk)]);
			if (isLast) resolve(collected.toString());
		});
	});
}

function parse(text) {
	try {
		const body = JSON.parse(text);
		if (typeof body === 'object' && body !== null) return body;
	} catch {
		// told below, with everything else that is no object
	}
	throw new BadRequest('expected a JSON object');
}

/** Answers what `handle` makes of the body, or its error. */
function answering(handle) {
	return async (res) => {
		let isAborted = false;
		res.onAborted(() => {
			isAborted = true;
		});
		let status = '200 OK';
		let answer;
		try {
			answer = await handle(parse(await readBody(res)));
		} catch (error) {
			status = error instanceof BadRequest ? '400 Bad Request' : '500 Internal Server Error';
			answer = { error: error.message };
		}
		if (isAborted) return;
		res.cork(() => res.writeStatus(status).writeHeader('content-type', 'application/json').end(JSON.stringify(answer)));
	};
}

const app = uws.App();
for (const [path, handle] of Object.entries(routes)) app.post(path, answering(handle));
app.get('/health', (res) => res.writeHeader('content-type', 'application/json').end('{"ready":true}'));
app.listen('127.0.0.1', Number(process.env.PEER_PORT), (socket) => {
	if (!socket) throw new Error(`cannot listen on port ${process.env.PEER_PORT}`);
});
