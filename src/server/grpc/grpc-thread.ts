/** The gRPC thread as the main thread sees it: one, because a thread's grpc-js server cannot share its port with another's. */
import type { Config } from '../../config/keys.js';
import type { EngineError } from '../../errors.js';
import type { LogSettings } from '../oip/log-settings.js';
import type { ProblemBody } from '../problem-body.js';
import type { MainCalls, NewsCalls } from '../thread-calls.js';
import { WorkerThread } from '../worker-thread.js';

export interface GrpcThreadData {
	/** Its name in the log. */
	thread: 'grpc';
	engineId: number;
	config: Config;
	rows: SharedArrayBuffer;
	/** Its own row. */
	rowAt: number;
}

/** Answered by the thread. A type, because an interface is no `Calls`. */
export type GrpcCalls = NewsCalls & {
	/** @returns the port. @throws EngineError `INVALID_CONFIG` */
	listen(where: { host: string; port: number }): Promise<number>;
};

export class GrpcThread {
	readonly #thread: WorkerThread<GrpcCalls>;

	/** Starts it; `listen` waits until it is there. */
	constructor(data: Omit<GrpcThreadData, 'thread'>, answers: MainCalls, onDeath: (error: EngineError) => void) {
		const program = new URL('grpc-worker.js', import.meta.url);
		this.#thread = new WorkerThread({ program, name: 'the gRPC thread', data: { ...data, thread: 'grpc' }, answers, onDeath });
	}

	/** @throws EngineError `INVALID_CONFIG` */
	async listen(host: string, port: number): Promise<void> {
		await this.#thread.link.call('listen', { host, port });
	}

	tell(problems: readonly ProblemBody[]): void {
		// A thread that has ended serves no call any more.
		this.#thread.link.call('tell', problems).catch(() => {});
	}

	/** Resolves when it logs so, or has ended. */
	async setLogging(settings: LogSettings): Promise<void> {
		await this.#thread.link.call('setLogging', settings).catch(() => {});
	}

	/** @returns whether everything was answered within the time */
	drain(timeoutMs: number): Promise<boolean> {
		return this.#thread.drain(timeoutMs);
	}

	/** Resolves when it has ended. @throws EngineError `INTERNAL` when it does not */
	close(): Promise<void> {
		return this.#thread.close();
	}
}
