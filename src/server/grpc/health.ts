/** grpc.health.v1: Check tells how the server stands, Watch tells it again with every change. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { EngineError } from '../../errors.js';

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface HealthRequest {
	service: string;
}

/** How soon a watcher hears of a change. */
const LOOK_EVERY_MS = 500;

/** No name: the whole server. */
const services = ['', 'inference.GRPCInferenceService', 'grpc.health.v1.Health'];

interface Watcher {
	service: string;
	/** What it was told last. */
	told: ServingStatus;
	tell(status: ServingStatus): void;
	end(): void;
}

export class Health {
	readonly #isReady: () => boolean;
	readonly #watchers = new Set<Watcher>();
	#timer: NodeJS.Timeout | undefined;

	constructor(isReady: () => boolean) {
		this.#isReady = isReady;
	}

	/** @throws EngineError `NOT_FOUND` */
	check({ service }: HealthRequest): { status: ServingStatus } {
		const status = this.#statusOf(service);
		if (status === 'SERVICE_UNKNOWN') throw new EngineError('NOT_FOUND', `unknown service ${JSON.stringify(service)}`);
		return { status };
	}

	watch({ service }: HealthRequest, call: ServerWritableStream<unknown, object>): void {
		const watcher: Watcher = {
			service,
			told: this.#statusOf(service),
			tell: (status) => call.write({ status }),
			end: () => call.end(),
		};
		watcher.tell(watcher.told);
		call.on('cancelled', () => this.#forget(watcher));
		this.#watchers.add(watcher);
		this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
	}

	/** Tells every watcher what has changed. */
	look(): void {
		for (const watcher of this.#watchers) {
			const status = this.#statusOf(watcher.service);
			if (watcher.told === status) continue;
			watcher.told = status;
			watcher.tell(status);
		}
	}

	/** Watchers are told that nothing serves any more, and that this was all. */
	end(): void {
		this.look();
		for (const watcher of this.#watchers) {
			watcher.end();
			this.#forget(watcher);
		}
	}

	#statusOf(service: string): ServingStatus {
		if (!services.includes(service)) return 'SERVICE_UNKNOWN';
		return this.#isReady() ? 'SERVING' : 'NOT_SERVING';
	}

	#forget(watcher: Watcher): void {
		this.#watchers.delete(watcher);
		if (this.#watchers.size > 0) return;
		clearInterval(this.#timer);
		this.#timer = undefined;
	}
}
