/** The I/O threads: N workers with an app each, on one port; the kernel spreads the connections over them. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { EngineError } from '../errors.js';
import { sendProbes } from '../metrics/receive-delay.js';
import type { Addresses } from './addresses.js';
import type { LogSettings } from './oip/log-settings.js';
import type { ProblemBody } from './problem-body.js';
import type { MainCalls, ThreadCalls, ThreadData } from './thread-calls.js';
import { WorkerThread } from './worker-thread.js';

export interface IoThreadsOptions extends Omit<ThreadData, 'thread' | 'probes'> {
	/** What the threads may ask of the main thread. */
	answers: MainCalls;
	/** A thread has ended that nobody closed. */
	onDeath: (error: EngineError) => void;
}

export class IoThreads {
	readonly #threads: WorkerThread<ThreadCalls>[];
	/** The main thread's ends. */
	readonly #probes: MessagePort[] = [];
	readonly #stopProbes: () => void;

	/** Starts them; `listen` waits until they are there. */
	constructor({ answers, onDeath, ...data }: IoThreadsOptions) {
		this.#threads = Array.from({ length: data.config.ioThreads }, (_, thread) => this.#start({ ...data, thread }, answers, onDeath));
		this.#stopProbes = data.config.observability ? sendProbes(this.#probes) : () => {};
	}

	/** @throws EngineError `INVALID_CONFIG` */
	async listen({ host, httpPort, unixSockets }: Addresses): Promise<void> {
		const where = (thread: number) => ({ host, port: httpPort, unixSocket: unixSockets[thread] });
		await Promise.all(this.#threads.map(({ link }, thread) => link.call('listen', where(thread))));
	}

	/** What of the repository does not serve from now on. */
	tell(problems: readonly ProblemBody[]): void {
		// A thread that has ended serves no page any more.
		for (const { link } of this.#threads) link.call('tell', problems).catch(() => {});
	}

	/** Resolves when all of them log so, or have ended. */
	async setLogging(settings: LogSettings): Promise<void> {
		await Promise.all(this.#threads.map(({ link }) => link.call('setLogging', settings).catch(() => {})));
	}

	/** All at once. @returns whether everything was answered within the time; a thread that is stuck has not */
	async drain(timeoutMs: number): Promise<boolean> {
		return (await Promise.all(this.#threads.map((thread) => thread.drain(timeoutMs)))).every(Boolean);
	}

	/** Resolves when all threads have ended; may be called twice. @throws EngineError `INTERNAL` when one does not */
	async close(): Promise<void> {
		this.#stopProbes();
		await Promise.all(this.#threads.map((thread) => thread.close()));
	}

	#start(data: Omit<ThreadData, 'probes'>, answers: MainCalls, onDeath: (error: EngineError) => void): WorkerThread<ThreadCalls> {
		const { port1, port2 } = new MessageChannel();
		this.#probes.push(port1);
		return new WorkerThread({
			program: new URL('io-worker.js', import.meta.url),
			name: `I/O thread ${data.thread}`,
			data: { ...data, probes: port2 } satisfies ThreadData,
			transfer: [port2],
			answers,
			onDeath,
		});
	}
}
