/** The friendly face of the compiled engine: the addon's methods with errors as EngineError, thrown from the caller's line. */
import { EngineError } from '../errors.js';
import type {
	Addon,
	CoreOptions,
	CoreStats,
	EventLogStats,
	ModelInfo,
	NativeCore,
	NativeHandle,
	ServingBounds,
	SlowRequests,
	TracedRequest,
} from './addon.js';
import { loadAddon } from './load-addon.js';

/** One engine: models, routes, compute workers, counters. Threads of one process share it through its `id`. */
export class Engine {
	readonly #addon: Addon;
	readonly #core: NativeCore;

	private constructor(addon: Addon, core: NativeCore) {
		this.#addon = addon;
		this.#core = core;
	}

	/** A new engine without models. @throws EngineError `INVALID_ARGUMENT` for an option out of range */
	static create(options: CoreOptions = {}, addon: Addon = loadAddon()): Engine {
		return new Engine(
			addon,
			translated(() => addon.createCore(options), Engine.create),
		);
	}

	/** The engine of another thread. @throws EngineError `INVALID_HANDLE` when it does not exist or has been closed */
	static byId(id: number, addon: Addon = loadAddon()): Engine {
		return new Engine(
			addon,
			translated(() => addon.core(id), Engine.byId),
		);
	}

	get id(): number {
		return this.#core.id;
	}

	/**
	 * Loads the bundle in a folder; it serves when the promise resolves.
	 * @param manifest JSON in place of the folder's `manifest.json`, for a folder without one
	 * @throws EngineError `BUNDLE_…` | `ENGINE_CLOSED`
	 */
	load(path: string, manifest?: string): Promise<ModelInfo> {
		return settled(() => this.#core.load(path, manifest), this.load);
	}

	/** Takes one version out of service. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	unload(name: string, version: string): Promise<void> {
		return settled(() => this.#core.unload(name, version), this.unload);
	}

	/** Replaces the aliases of a model, for example `{champion: '1.0.0'}`. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
	route(name: string, aliases: Record<string, string>): void {
		translated(() => this.#core.route(name, aliases), this.route);
	}

	/** Bounds of all versions of a model, those that are loaded later included. @throws EngineError `INVALID_ARGUMENT` */
	tune(name: string, bounds: ServingBounds): void {
		translated(() => this.#core.tune(name, bounds), this.tune);
	}

	/** Adds or replaces live items, written in msgpack; returns how many. */
	upsert(target: string, items: Uint8Array): number {
		return translated(() => this.#core.upsert(target, items), this.upsert);
	}

	/** Takes live or published items out of every answer, ids written in msgpack; returns how many were known. */
	remove(target: string, ids: Uint8Array): number {
		return translated(() => this.#core.remove(target, ids), this.remove);
	}

	stats(): CoreStats {
		return translated(() => this.#core.stats(), this.stats);
	}

	/** Of `stats` the models alone, which is cheap. */
	models(): ModelInfo[] {
		return translated(() => this.#core.models(), this.models);
	}

	/** The slowest requests of the current minute and the one before. */
	slowRequests(): SlowRequests {
		return translated(() => this.#core.slowRequests(), this.slowRequests);
	}

	/** Traced requests, each told once: for one reader, who comes often. */
	takeTraces(): TracedRequest[] {
		return translated(() => this.#core.takeTraces(), this.takeTraces);
	}

	/** What became of events, also after `close`; undefined where there is no event log. */
	eventLog(): EventLogStats | undefined {
		return translated(() => this.#core.eventLog(), this.eventLog);
	}

	/** From now on every new request is answered `DRAINING`; what was submitted before is finished. */
	drain(): void {
		translated(() => this.#core.drain(), this.drain);
	}

	/** Waits for running batches and frees everything; may be called twice. */
	close(): Promise<void> {
		return settled(() => this.#core.close(), this.close);
	}

	/** This thread's way to submit requests. */
	attach(): NativeHandle {
		return translated(() => this.#addon.attach(this.#core.id), this.attach);
	}
}

// biome-ignore lint/complexity/noBannedTypes: it is what Error.captureStackTrace takes.
type Method = Function;

function translated<T>(call: () => T, method: Method): T {
	try {
		return call();
	} catch (thrown) {
		throw pointedAt(method, EngineError.from(thrown));
	}
}

/** The stack is captured before the crossing: a rejection made by a worker thread knows no JavaScript caller. */
async function settled<T>(call: () => Promise<T>, method: Method): Promise<T> {
	const caller = { stack: '' };
	Error.captureStackTrace(caller, method);
	try {
		return await call();
	} catch (thrown) {
		const error = EngineError.from(thrown);
		error.stack = `${error.name}: ${error.message}${caller.stack.slice(caller.stack.indexOf('\n'))}`;
		throw error;
	}
}

function pointedAt(method: Method, error: EngineError): EngineError {
	Error.captureStackTrace(error, method);
	return error;
}
