/** Preloaded into a server: when a file appears, a thread throws where nobody catches: I/O thread 0, or the one that is named. */
import { existsSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

if (!isMainThread && String(workerData?.thread) === (process.env.PLANT_FAULT_IN ?? '0')) {
	const watch = () => {
		if (existsSync(process.env.PLANT_FAULT_AT)) throw new Error('planted by a test');
	};
	setInterval(watch, 10).unref();
}
