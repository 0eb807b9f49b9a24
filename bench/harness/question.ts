/** What a question of the bench is, what it is given to work with, and what it answers. */
import type { LoadResult, LoadSpec } from './load.js';
import type { Server } from './server.js';

/** One measured line of the table; every row of a question has the same keys. */
export type Row = Record<string, string | number | boolean | null>;

/** A claim and whether this run bears it out. */
export interface Check {
	name: string;
	value: number;
	unit: string;
	/** As text with its direction, for example `>= 1.6`. */
	target: string;
	ok: boolean;
}

/** Lines of one picture; a band is the bootstrap interval around each point. */
export interface Chart {
	title: string;
	x: { label: string; log?: boolean };
	y: { label: string; log?: boolean };
	series: { name: string; points: { x: number; y: number; low?: number; high?: number }[] }[];
}

export interface Answer {
	rows: Row[];
	checks: Check[];
	charts: Chart[];
	/** Versions of everything that was measured beside rankd, by name. */
	versions?: Record<string, string>;
	/** Sentences a reader of the numbers must know, for example what was left out and why. */
	notes?: string[];
}

/** What the command line asks of a question instead of its whole; each belongs to one question. */
export interface Narrowed {
	/** peers: these alone. */
	readonly only?: string;
	/** peers: this work alone. */
	readonly work?: string;
	/** infer: a graph of the caller's, and the shapes of its inputs as JSON. */
	readonly onnx?: string;
	readonly shapes?: string;
	/** throughput: a file of request bodies, what they ask (`rank/packages`), and the model repository that answers. */
	readonly requests?: string;
	readonly target?: string;
	readonly repository?: string;
}

/** What a question works with; everything it starts is stopped when it ends, however it ends. */
export interface Bench {
	/** Seconds measured per point, over all its rounds together. */
	readonly seconds: number;
	/** Rounds in which the alternatives take turns. */
	readonly pairs: number;
	/** A part of a question, where it has parts: names separated by commas. */
	readonly narrowed: Narrowed;
	/** The core that servers run on, and the one of the load generator. */
	readonly cores: { server: number; load: number };
	/** Every core that the bench was granted. */
	readonly allCores: readonly number[];
	/** A folder for corpora and sockets, removed at the end. */
	readonly folder: string;
	/** A line of progress, to stderr. */
	progress(text: string): void;
	/** Runs a program to its end on the server's core. @returns what it printed. @throws Unmeasurable with its last words when it fails */
	runPinned(command: readonly string[]): Promise<string>;
	/** A sentence that a reader of the numbers must know; joins the answer's notes, once. */
	note(text: string): void;
	/** Starts `command` pinned to the server's core and waits until `ready` resolves. */
	startServer(options: ServerOptions): Promise<Server>;
	/**
	 * Runs the load generator, pinned to its core or to those given. A void run is repeated, twice at most.
	 * @throws Unmeasurable when it is void again, nothing was answered, or a server ended
	 */
	load(spec: LoadSpec, options?: LoadOptions): Promise<LoadResult>;
}

export interface LoadOptions {
	/** Of the generator; default: the bench's. */
	cores?: readonly number[];
	/** Called and awaited before a run, and again before each that replaces a void one. */
	onStart?: () => void | Promise<void>;
}

export interface ServerOptions {
	name: string;
	command: readonly string[];
	env?: Record<string, string>;
	cwd?: string;
	/** Cores to pin to; default: the bench's server core. */
	cores?: readonly number[];
	/** Resolves to true once the server answers; a rejection means not yet. Asked every `pollMs`. */
	isReady: () => Promise<boolean>;
	/** Default 50. */
	pollMs?: number;
	/** How long it may take to get ready. Default 60 s. */
	timeoutMs?: number;
}

export interface Question {
	name: string;
	/** One line for `--help`. */
	asks: string;
	/** What it needs instead of the command line's defaults. */
	usual?: { seconds: number; pairs: number };
	run(bench: Bench): Promise<Answer>;
}
