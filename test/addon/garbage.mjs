// A process that answers RPC requests over a socket that only looks like one, and prints how many bytes of JavaScript heap each has
// cost: new objects, garbage included. Its young generation is so large that nothing is collected while it counts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { createRows, rowsOf } from '../../dist/metrics/thread-row.js';
import { loadAddon } from '../../dist/native/load-addon.js';
import { RpcConnection } from '../../dist/server/rpc-connection.js';
import { Turn } from '../../dist/server/turn.js';

const [bundle, perTurn, turns] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const core = loadAddon().createCore({ computeThreads: 0 });
await core.load(bundle);
const handle = loadAddon().attach(core.id);

const [{ traffic }] = rowsOf(createRows(1));
const turn = new Turn(handle, { flushBudgetUs: 1000 });
let answered = 0;
const socket = {
	cork: (write) => write(),
	getBufferedAmount: () => 0,
	send(bytes) {
		answered += bytes.byteLength > 0 ? 1 : 0;
		return 1;
	},
};
const connection = new RpcConnection({ turn, traffic, config: { maxBackpressureBytes: 4 * 1024 * 1024 } }, socket);
const { buffer: frame } = new Uint8Array(
	new Packr({ useRecords: false }).pack([1, 1, 7, 'tiny', null, null, null, { user: 'user-1', k: 1 }]),
);

/** One turn of the loop for each, however many requests it has. @returns the heap they took */
async function bytesOf(turns, requestsPerTurn) {
	const before = process.memoryUsage().heapUsed;
	for (let i = 0; i < turns; i++) {
		for (let request = 0; request < requestsPerTurn; request++) connection.take(frame, true);
		await nextTurn();
	}
	return process.memoryUsage().heapUsed - before;
}

await bytesOf(turns, perTurn);
await bytesOf(turns, 0);
globalThis.gc();
answered = 0;
const bytes = (await bytesOf(turns, perTurn)) - (await bytesOf(turns, 0));
await nextTurn();
if (answered !== turns * perTurn) throw new Error(`${answered} answers instead of ${turns * perTurn}`);
console.log(bytes / answered);
handle.detach();
await core.close();
