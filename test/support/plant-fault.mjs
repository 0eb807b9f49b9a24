/** Preloaded into a server: when a file appears, I/O thread 0 throws where nobody catches. */
import { existsSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

if (!isMainThread && workerData?.thread === 0) {
	const watch = () => {
		if (existsSync(process.env.PLANT_FAULT_AT)) throw new Error('planted by a test');
	};
	setInterval(watch, 10).unref();
}
