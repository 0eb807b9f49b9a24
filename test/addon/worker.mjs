// One worker thread over a core of the main thread: it sends requests in turns of 16 and counts the good answers.
import { parentPort, workerData } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import { recordLength } from '../../dist/native/addon.js';
import { loadAddon } from '../../dist/native/load-addon.js';

const packr = new Packr({ useRecords: false });
const handle = loadAddon().attach(workerData.coreId);
let submitted = 0;
let served = 0;

function turn() {
	for (let i = 0; i < 16 && submitted < workerData.requests; i++, submitted++)
		handle.submit(packr.pack([1, 1, submitted, 'tiny', null, null, null, { user: `user-${submitted % 8}` }]), 0);
	const { records } = handle.flush(1000);
	for (let i = 0; i < records.length; i += recordLength) served += (records[i + 3] & 0xff) === 0 ? 1 : 0;
	if (served < workerData.requests) return setImmediate(turn);
	if (workerData.requests > 0) handle.detach();
	parentPort.postMessage(served);
}

turn();
