/** The I/O threads: N workers with an app each, on one port; the kernel spreads the connections over them. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../errors.js';
import type { Addresses } from './addresses.js';
import type { MainCalls, ThreadCalls, ThreadData } from './thread-calls.js';
import { ThreadLink } from './thread-link.js';

/** How much longer than it was given a thread may take before it counts as stuck. */
const GRACE_MS = 2000;

export interface IoThreadsOptions extends Omit<ThreadData, 'thread'> {
	/** One scrape of the whole process, for a thread that is asked for it. */
	metrics: () => Promise<string>;
	/** A thread has ended that nobody closed. */
	onDeath: (error: EngineError) => void;
}

interface IoThread {
	link: ThreadLink<ThreadCalls>;
	exited: Promise<void>;
}

export class IoThreads {
	readonly #threads: IoThread[];
	readonly #onDeath: (error: EngineError) => void;
	#isClosing = false;

	/** Starts them; `listen` waits until they are there. */
	constructor({ metrics, onDeath, ...data }: IoThreadsOptions) {
		this.#onDeath = onDeath;
		this.#threads = Array.from({ length: data.config.ioThreads }, (_, thread) => this.#start({ ...data, thread }, { metrics }));
	}

	/** @param problem why the server is not ready although models serve. @throws EngineError `INVALID_CONFIG` */
	async listen({ host, httpPort, unixSockets }: Addresses, problem: string | undefined): Promise<void> {
		const where = (thread: number) => ({ host, port: httpPort, unixSocket: unixSockets[thread], problem });
		await Promise.all(this.#threads.map(({ link }, thread) => link.call('listen', where(thread))));
	}

	/** All at once. @returns whether everything was answered within the time; a thread that is stuck has not */
	async drain(timeoutMs: number): Promise<boolean> {
		const drained = this.#threads.map(({ link }) => within(timeoutMs + GRACE_MS, link.call('drain', timeoutMs), false));
		return (await Promise.all(drained)).every(Boolean);
	}

	/** Resolves when all threads have ended; may be called twice. @throws EngineError `INTERNAL` when one does not */
	async close(): Promise<void> {
		this.#isClosing = true;
		const ended = this.#threads.map(async ({ link, exited }) => {
			// A thread that has ended on its own has closed its app before.
			await link.call('close', undefined).catch(() => {});
			await exited;
		});
		const areEnded = await within(
			GRACE_MS,
			Promise.all(ended).then(() => true),
			false,
		);
		if (!areEnded) throw new EngineError('INTERNAL', 'this is a bug: an I/O thread does not end');
	}

	#start(data: ThreadData, answers: MainCalls): IoThread {
		const worker = new Worker(new URL('io-worker.js', import.meta.url), { workerData: data, name: `rankd-io-${data.thread}` });
		const link = new ThreadLink<ThreadCalls>(worker, answers);
		let cause: unknown;
		worker.on('error', (thrown) => {
			cause = thrown;
		});
		const exited = new Promise<void>((resolve) => {
			worker.once('exit', (code) => {
				const error = new EngineError('INTERNAL', `I/O thread ${data.thread} has ended with code ${code}`, { cause });
				link.end(error);
				if (!this.#isClosing) this.#onDeath(error);
				resolve();
			});
		});
		return { link, exited };
	}
}

/** `result`, or `otherwise` when it takes too long; what fails counts as the latter. */
async function within<T>(timeoutMs: number, result: Promise<T>, otherwise: T): Promise<T> {
	const isOver = new AbortController();
	const timeout = delay(timeoutMs, otherwise, { signal: isOver.signal }).catch(() => otherwise);
	try {
		return await Promise.race([result.catch(() => otherwise), timeout]);
	} finally {
		isOver.abort();
	}
}
