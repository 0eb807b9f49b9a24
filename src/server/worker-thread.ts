/** A thread of ours as the main thread sees it: calls over its port, and its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Transferable, Worker } from 'node:worker_threads';
import { EngineError } from '../errors.js';
import { type Calls, ThreadLink } from './thread-link.js';

/** How much longer than it was given a thread may take before it counts as stuck. */
const GRACE_MS = 2000;

/** What every thread answers. A type, because an interface is no `Calls`. */
export type EndCalls = {
	/** @returns whether everything was answered within the time */
	drain(timeoutMs: number): Promise<boolean>;
	/** The thread ends after this. */
	close(): void;
};

export interface WorkerThreadOptions {
	/** The built file it runs. */
	program: URL;
	/** For debuggers and messages, for example `I/O thread 0`. */
	name: string;
	data: unknown;
	transfer?: readonly Transferable[];
	/** What the main thread answers. */
	answers: Calls;
	/** It has ended, and nobody closed it. */
	onDeath: (error: EngineError) => void;
}

export class WorkerThread<Theirs extends EndCalls> {
	readonly link: ThreadLink<Theirs>;
	readonly #name: string;
	readonly #exited: Promise<void>;
	#isClosing = false;

	constructor({ program, name, data, transfer = [], answers, onDeath }: WorkerThreadOptions) {
		this.#name = name;
		const worker = new Worker(program, { workerData: data, transferList: [...transfer], name });
		this.link = new ThreadLink<Theirs>(worker, answers);
		let cause: unknown;
		worker.on('error', (thrown) => {
			cause = thrown;
		});
		this.#exited = new Promise((resolve) => {
			worker.once('exit', (code) => {
				const error = new EngineError('INTERNAL', `${name} has ended with code ${code}`, { cause });
				this.link.end(error);
				if (!this.#isClosing) onDeath(error);
				resolve();
			});
		});
	}

	/** @returns whether everything was answered within the time; a thread that is stuck has not */
	drain(timeoutMs: number): Promise<boolean> {
		return within(timeoutMs + GRACE_MS, (this.link as ThreadLink<EndCalls>).call('drain', timeoutMs), false);
	}

	/** Resolves when it has ended; may be called twice. @throws EngineError `INTERNAL` when it does not */
	async close(): Promise<void> {
		this.#isClosing = true;
		if (!(await within(GRACE_MS, this.#end(), false))) throw new EngineError('INTERNAL', `this is a bug: ${this.#name} does not end`);
	}

	async #end(): Promise<boolean> {
		// A thread that has ended on its own has closed what it serves before.
		await (this.link as ThreadLink<EndCalls>).call('close', undefined).catch(() => {});
		await this.#exited;
		return true;
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
