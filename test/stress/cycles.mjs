// A process that does one thing 300 times and prints how much anonymous memory the last hundred have added, as a share; until then
// V8 still compiles what it finds hot.
// It runs alone, with a collector that works on one thread: V8's helpers would add memory of their own to what is measured.
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { recordLength } from '../../dist/native/addon.js';
import { loadAddon } from '../../dist/native/load-addon.js';

const [work, bundle] = process.argv.slice(2);
const packr = new Packr({ useRecords: false });
const addon = loadAddon();
const core = addon.createCore({ computeThreads: 1 });
const handle = addon.attach(core.id);
const request = packr.pack([1, 1, 1, 'packages', null, null, null, { history: ['cmake', 'libboost-dev'], k: 10 }]);

/** Memory that belongs to this process alone; mapped files are the kernel's to keep or drop. */
function anonymousKiB() {
	globalThis.gc();
	globalThis.gc();
	return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

/** @returns how many answers came, all flushes together */
function flushAll() {
	let answered = 0;
	for (let more = true; more; ) {
		const flush = handle.flush(1000);
		answered += flush.records.length / recordLength;
		more = flush.more;
	}
	return answered;
}

let seed = 1;
function random(below) {
	seed = (seed * 48_271) % 2_147_483_647;
	return seed % below;
}

const cycles = {
	async badFrames() {
		for (let i = 0; i < 100; i++) {
			const bad = request.subarray(0, 1 + random(request.length)).slice();
			bad[random(bad.length)] = random(256);
			handle.submit(new Uint8Array(bad), 0);
		}
		if (flushAll() !== 100) throw new Error('a bad frame was not answered');
	},
	async vanishingClients() {
		const tickets = Array.from({ length: 100 }, () => handle.submit(request, 0));
		for (const ticket of tickets) handle.cancel(ticket);
		if (flushAll() !== 0) throw new Error('a cancelled request was answered');
	},
};

await core.load(bundle);
let settled = 0;
for (let i = 1; i <= 300; i++) {
	await cycles[work]();
	await nextTurn();
	if (i === 200) settled = anonymousKiB();
}
console.log(anonymousKiB() / settled - 1);
handle.detach();
await core.close();
