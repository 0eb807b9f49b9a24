/** Calls between two threads: each side answers the other's by name, over one message port. */
import { EngineError } from '../errors.js';

/** A MessagePort, or a Worker seen from its parent. */
export interface Port {
	postMessage(message: unknown): void;
	on(event: 'message', listener: (message: Message) => void): unknown;
}

/** What one side answers; arguments and results are cloned on their way. */
export type Calls = Record<string, (argument: never) => unknown>;

type Message =
	| { kind: 'call'; id: number; name: string; argument: unknown }
	| { kind: 'result'; id: number; result: unknown }
	| { kind: 'failure'; id: number; code: string; message: string };

interface Waiting {
	resolve: (result: unknown) => void;
	reject: (error: Error) => void;
}

/** `Theirs` is what the other side answers. */
export class ThreadLink<Theirs extends Calls> {
	readonly #port: Port;
	readonly #ours: Calls;
	readonly #waiting = new Map<number, Waiting>();
	#calls = 0;
	#end: Error | undefined;

	constructor(port: Port, ours: Calls) {
		this.#port = port;
		this.#ours = ours;
		port.on('message', (message) => this.#receive(message));
	}

	/** @throws EngineError what the other side threw, or what the link ended with */
	call<Name extends keyof Theirs & string>(name: Name, argument: Parameters<Theirs[Name]>[0]): Promise<Awaited<ReturnType<Theirs[Name]>>> {
		if (this.#end) return Promise.reject(this.#end);
		const id = this.#calls++;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
			this.#port.postMessage({ kind: 'call', id, name, argument } satisfies Message);
		});
	}

	/** The other side has gone: nothing is answered any more. */
	end(error: Error): void {
		this.#end = error;
		for (const { reject } of this.#waiting.values()) reject(error);
		this.#waiting.clear();
	}

	#receive(message: Message): void {
		if (message.kind === 'call') return this.#answer(message.id, message.name, message.argument);
		const waiting = this.#waiting.get(message.id);
		this.#waiting.delete(message.id);
		if (message.kind === 'result') waiting?.resolve(message.result);
		else waiting?.reject(EngineError.from(message));
	}

	#answer(id: number, name: string, argument: unknown): void {
		const run = async () => this.#ours[name]?.(argument as never);
		run().then(
			(result) => this.#port.postMessage({ kind: 'result', id, result } satisfies Message),
			(thrown) => {
				const { code, message } = EngineError.from(thrown);
				this.#port.postMessage({ kind: 'failure', id, code, message } satisfies Message);
			},
		);
	}
}
