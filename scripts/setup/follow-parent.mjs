/** Preloaded into the server by `npm start`: should its parent die without a word (kill -9), it drains and ends as well. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
	process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
	process.channel.unref();
}
