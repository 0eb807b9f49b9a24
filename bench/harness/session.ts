/** One run of one question: its cores, its servers, its files. Whatever was started or written ends with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Reading, readingOf, shareBetween } from './core-time.js';
import { Unmeasurable } from './failures.js';
import { generateLoad, generatorProgram, problemOf } from './generator.js';
import type { LoadResult, LoadSpec } from './load.js';
import type { Pinning } from './pin.js';
import type { Bench, LoadOptions, ServerOptions } from './question.js';
import { runToEnd } from './run-to-end.js';
import type { Server } from './server.js';
import { ServerProcess } from './server-process.js';

/** Less is what any system does beside. */
const TOLD_SHARE = 0.05;

/** A neighbour that takes the generator's core for a moment makes a point void; one that stays makes every attempt void. */
const ATTEMPTS = 3;

export interface SessionOptions {
	seconds: number;
	pairs: number;
	pinning: Pinning;
	narrowed?: Bench['narrowed'];
	progress: (text: string) => void;
}

export class Session implements Bench {
	readonly seconds: number;
	readonly pairs: number;
	readonly narrowed: Bench['narrowed'];
	readonly cores: { server: number; load: number };
	readonly allCores: readonly number[];
	/** Corpora and sockets; short, since a Unix socket's path has at most 107 bytes. */
	readonly folder = mkdtempSync(join(tmpdir(), 'rankd-bench-'));
	readonly progress: (text: string) => void;
	readonly #pinning: Pinning;
	readonly #notes: string[];
	/** The most that processes we do not know took of the servers' core during a load. */
	#othersShare = 0;
	readonly #servers = new Set<ServerProcess>();
	/** Generators and other programs that run to their end. */
	readonly #running = new Set<Promise<unknown>>();
	readonly #aborted = new AbortController();
	readonly #onExit = (): void => this.#killNow();

	constructor({ seconds, pairs, pinning, narrowed = {}, progress }: SessionOptions) {
		this.seconds = seconds;
		this.pairs = pairs;
		this.narrowed = narrowed;
		this.cores = { server: pinning.server, load: pinning.load };
		this.allCores = pinning.allowed;
		this.#notes = [...pinning.notes];
		this.progress = progress;
		this.#pinning = pinning;
		process.on('exit', this.#onExit);
	}

	get isClosed(): boolean {
		return this.#aborted.signal.aborted;
	}

	note(text: string): void {
		if (!this.#notes.includes(text)) this.#notes.push(text);
	}

	/** What a reader of this run's numbers must know. */
	get notes(): readonly string[] {
		if (this.#othersShare < TOLD_SHARE) return this.#notes;
		const percent = Math.round(100 * this.#othersShare);
		return [...this.#notes, `other processes took up to ${percent} % of the servers' core: rates are too low and latencies too high`];
	}

	async startServer(options: ServerOptions): Promise<Server> {
		this.#aborted.signal.throwIfAborted();
		const command = this.#pinning.pinned(options.command, options.cores ?? [this.cores.server]);
		return await ServerProcess.start(command, options, (server) => this.#servers.add(server));
	}

	async load(spec: LoadSpec, { cores = [this.cores.load], onStart = () => {} }: LoadOptions = {}): Promise<LoadResult> {
		for (let attempt = 1; ; attempt++) {
			await onStart();
			const result = await this.#generate(cores, spec);
			const problem = problemOf(result);
			if (problem === undefined) return result;
			if (attempt === ATTEMPTS) throw new Unmeasurable(`${ATTEMPTS} times: ${problem}`);
			this.progress(`measured again: ${problem}`);
		}
	}

	async runPinned(command: readonly string[]): Promise<string> {
		this.#aborted.signal.throwIfAborted();
		const pinned = this.#pinning.pinned(command, [this.cores.server]);
		return await this.#tracked(runToEnd(basename(command[0] ?? ''), pinned, { signal: this.#aborted.signal }));
	}

	/** Stops every server and removes the files; may be called twice. */
	async close(): Promise<void> {
		this.#aborted.abort();
		await Promise.all([...this.#servers].map((server) => server.stop()));
		await Promise.allSettled(this.#running);
		rmSync(this.folder, { recursive: true, force: true });
		process.off('exit', this.#onExit);
	}

	async #generate(cores: readonly number[], spec: LoadSpec): Promise<LoadResult> {
		this.#aborted.signal.throwIfAborted();
		const command = this.#pinning.pinned([generatorProgram()], cores);
		const before = this.#reading();
		const result = await this.#tracked(generateLoad(command, spec, this.#aborted.signal));
		this.#watchNeighbours(before, cores);
		const dead = [...this.#servers].find((server) => server.hasEnded && !server.isStopping);
		if (dead) throw new Unmeasurable(`${dead.name} ended under load:\n${dead.output}`);
		return result;
	}

	/** The session does not end before it has. */
	async #tracked<T>(running: Promise<T>): Promise<T> {
		this.#running.add(running);
		try {
			return await running;
		} finally {
			this.#running.delete(running);
		}
	}

	#reading(): Reading {
		const cpuSeconds = [...this.#servers].reduce((sum, server) => sum + server.cpuSeconds(), 0);
		return readingOf(cpuSeconds, [this.cores.server]);
	}

	/** Remembers the worst of all loads. Nobody can be told apart where the generator runs on the servers' core too. */
	#watchNeighbours(before: Reading, generatorCores: readonly number[]): void {
		if (generatorCores.includes(this.cores.server)) return;
		this.#othersShare = Math.max(this.#othersShare, shareBetween(before, this.#reading()).others);
	}

	#killNow(): void {
		for (const server of this.#servers) server.killNow();
		rmSync(this.folder, { recursive: true, force: true });
	}
}
