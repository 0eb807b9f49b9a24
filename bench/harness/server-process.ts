/** Starts a server in a process group of its own, waits until it answers, and leaves nothing of it behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { Unmeasurable } from './failures.js';
import { cpuSecondsOf, isAlive, type ProcessInfo, processTree, residentBytesOf } from './process-tree.js';
import { putFirst } from './put-first.js';
import type { ServerOptions } from './question.js';
import type { Server } from './server.js';
import { tethered } from './tether.js';

const DEFAULT_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** A server that drains gets this long before it is killed. */
const TERM_MS = 8_000;
/** What is kept of its output, to say why it ended. */
const TAIL_CHARACTERS = 4_000;

export class ServerProcess implements Server {
	readonly name: string;
	startMs = Number.NaN;
	readonly #child: ChildProcess;
	readonly #ended: Promise<void>;
	#output = '';
	#isOver = false;
	#stopping: Promise<void> | undefined;

	/** @param command already pinned */
	constructor(name: string, command: readonly string[], { env, cwd }: Pick<ServerOptions, 'env' | 'cwd'> = {}) {
		this.name = name;
		const [program = '', ...args] = tethered(command);
		this.#child = spawn(program, args, {
			cwd,
			env: { ...process.env, ...env },
			stdio: ['ignore', 'pipe', 'pipe'],
			// Signals from a terminal reach us alone; we stop the server in our own order.
			detached: true,
		});
		putFirst(this.#child.pid);
		for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding('utf8').on('data', (text) => this.#keep(text));
		this.#ended = new Promise((resolve) => {
			const over = (reason: string) => {
				this.#isOver = true;
				this.#keep(reason);
				resolve();
			};
			this.#child.once('error', (error) => over(`${program} cannot be run: ${error.message}`));
			this.#child.once('exit', (code, signal) => over(`(ended with ${signal ?? `exit code ${code}`})`));
		});
	}

	/** @throws Unmeasurable when the process ends or its time is over before it answers; nothing of it is left then */
	static async start(command: readonly string[], options: ServerOptions, onStart: (server: ServerProcess) => void): Promise<ServerProcess> {
		const start = performance.now();
		const server = new ServerProcess(options.name, command, options);
		onStart(server);
		try {
			await server.#becomesReady(start, options);
		} catch (error) {
			await server.stop();
			throw error;
		}
		server.startMs = performance.now() - start;
		return server;
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	get hasEnded(): boolean {
		return this.#isOver;
	}

	/** Whether somebody asked it to end. */
	get isStopping(): boolean {
		return this.#stopping !== undefined;
	}

	/** The end of what it printed. */
	get output(): string {
		return this.#output.trim();
	}

	cpuSeconds(): number {
		return cpuSecondsOf(this.#tree());
	}

	residentBytes(): number {
		return residentBytesOf(this.#tree());
	}

	/** Asks it to end, then makes it; may be called twice. Resolves when the whole process tree has gone. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	/** For the exit of our own process, where nothing can be waited for. */
	killNow(): void {
		if (this.pid === 0 || this.#isOver) return;
		const tree = this.#tree();
		this.#signalGroup('SIGKILL');
		for (const { pid } of tree) kill(pid, 'SIGKILL');
	}

	async #stop(): Promise<void> {
		if (this.pid === 0) return;
		const tree = this.#tree();
		this.#signalGroup('SIGTERM');
		// One that was stopped (SIGSTOP) hears nothing before it goes on.
		for (const { pid } of tree) kill(pid, 'SIGCONT');
		await Promise.race([this.#ended, delay(TERM_MS, undefined, { ref: false })]);
		tree.push(...this.#tree());
		// Some leave the group (setsid), some outlive their parent.
		for (let left = tree.filter(isAlive); left.length > 0; left = tree.filter(isAlive)) {
			this.#signalGroup('SIGKILL');
			for (const { pid } of left) kill(pid, 'SIGKILL');
			await delay(10);
		}
		await this.#ended;
		this.#signalGroup('SIGKILL');
	}

	async #becomesReady(start: number, { isReady, timeoutMs = DEFAULT_TIMEOUT_MS, pollMs = POLL_MS }: ServerOptions): Promise<void> {
		while (!(await isReady().catch(() => false))) {
			if (this.#isOver) throw new Unmeasurable(`${this.name} ended before it answered:\n${this.output}`);
			if (performance.now() - start > timeoutMs) {
				throw new Unmeasurable(`${this.name} did not answer within ${timeoutMs / 1000} s:\n${this.output}`);
			}
			await delay(pollMs);
		}
	}

	/** Empty once it has ended: its id may be another's by now. */
	#tree(): ProcessInfo[] {
		return this.#isOver ? [] : processTree(this.pid);
	}

	#keep(text: string): void {
		this.#output = (this.#output + text).slice(-TAIL_CHARACTERS);
	}

	#signalGroup(signal: NodeJS.Signals): void {
		kill(-this.pid, signal);
	}
}

function kill(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended by itself
	}
}
