/**
 * The three models as both Node peers serve them: onnxruntime-node with one thread, typed arrays around it.
 * Where they lie comes from the environment, as for the Python peers: PEER_INFER_MODEL, PEER_SCORE_MODEL, PEER_RANK_MODEL, PEER_ITEMS, PEER_USERS.
 */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What the caller sent cannot be served; the message says why. */
export class BadRequest extends Error {
	statusCode = 400;
}

/** One thread: the binding runs graphs on the event loop's thread, a pool would only contend for the one core. */
const openSession = (path) => InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1, executionProviders: ['cpu'] });

/** A graph with one float32 input [N, width] and one output [N, …]. */
class Dense {
	static async open(path) {
		return new Dense(await openSession(path));
	}

	constructor(session) {
		this.session = session;
		this.input = session.inputNames[0];
		this.output = session.outputNames[0];
		this.width = session.inputMetadata[0].shape[1];
	}

	/** rows: arrays of `width` numbers. Resolves to the output's tensor. */
	async run(rows) {
		const matrix = new Float32Array(rows.length * this.width); // [N, width]
		for (const [i, row] of rows.entries()) {
			if (row.length !== this.width)
				throw new BadRequest(`${this.input}: expected rows of ${this.width} numbers, row ${i} has ${row.length}`);
			matrix.set(row, i * this.width);
		}
		const results = await this.session.run({ [this.input]: new Tensor('float32', matrix, [rows.length, this.width]) });
		return results[this.output];
	}
}

/** Scores candidates for a user; the tables stay in memory, only the rows of a request reach the graph. */
class Ranker {
	/** Input buffers that no run is using. A run starts a turn after it was asked for, so that each request in flight needs its own. */
	free = [];

	static async open(path, items, users) {
		return new Ranker(await openSession(path), loadNpy(items), loadNpy(users));
	}

	constructor(session, items, users) {
		this.session = session;
		this.items = items;
		this.users = users;
		this.ids = Array.from({ length: items.rows }, (_, row) => 1000 + 7 * row);
		this.rowOf = new Map(this.ids.map((id, row) => [id, row]));
	}

	/** user: number; candidates: ids, those unknown are dropped; k: how many to keep. Resolves to the best, best first. */
	async rank(user, candidates, k) {
		const rows = candidates.map((id) => this.rowOf.get(id)).filter((row) => row !== undefined);
		if (rows.length === 0) return [];
		const { width } = this.items;
		const feeds = this.free.pop() ?? { buffer: new Float32Array(0), userRows: new BigInt64Array(0) };
		if (feeds.userRows.length < rows.length) {
			feeds.buffer = new Float32Array(rows.length * width);
			feeds.userRows = new BigInt64Array(rows.length);
		}
		const gathered = feeds.buffer.subarray(0, rows.length * width); // [N, W]
		for (let i = 0; i < rows.length; i++) gathered.set(this.items.row(rows[i]), i * width);
		const { score } = await this.session.run({
			user_embedding: new Tensor('float32', this.users.row(user > 0 && user < this.users.rows ? user : 0), [1, width]),
			row_user: new Tensor('int64', feeds.userRows.subarray(0, rows.length), [rows.length]),
			item_embedding: new Tensor('float32', gathered, [rows.length, width]),
		});
		this.free.push(feeds);
		return best(score.data, k).map((i) => ({ id: this.ids[rows[i]], score: score.data[i] }));
	}
}

/** The places of the k highest scores, best first; an insertion into k sorted places beats sorting all while k is small. */
function best(scores, k) {
	const kept = [];
	for (let i = 0; i < scores.length; i++) {
		if (kept.length === k && scores[i] <= scores[kept[k - 1]]) continue;
		if (kept.length === k) kept.pop();
		let at = kept.length;
		while (at > 0 && scores[kept[at - 1]] < scores[i]) at--;
		kept.splice(at, 0, i);
	}
	return kept;
}

/** A float32 array [rows, width] that NumPy wrote. */
function loadNpy(path) {
	const file = readFileSync(path);
	const header = file.toString('latin1', 10, 10 + file.readUInt16LE(8));
	const shape = header.match(/'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/);
	if (!shape) throw new Error(`${path}: expected float32 [rows, width] in C order, got ${header.trim()}`);
	const [rows, width] = shape.slice(1).map(Number);
	const data = new Float32Array(file.buffer.slice(file.byteOffset + 10 + header.length, file.byteOffset + file.length));
	return { rows, width, row: (row) => data.subarray(row * width, (row + 1) * width) };
}

const env = process.env;
export const inferModel = await Dense.open(env.PEER_INFER_MODEL);
export const scoreModel = await Dense.open(env.PEER_SCORE_MODEL);
export const ranker = await Ranker.open(env.PEER_RANK_MODEL, env.PEER_ITEMS, env.PEER_USERS);

/** A [N, C] tensor as N arrays. */
export function rowsOf({ data, dims }) {
	const width = dims[1];
	return Array.from({ length: dims[0] }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));
}
