/** What waits for each gRPC peer to read; grpc-js takes any number of answers and says only when a call is over. */
import { EngineError } from '../../errors.js';
import { Backlog, type BacklogContext } from '../backlog.js';

/** When a slow reader may try again. */
const RETRY_AFTER_MS = 100;

export class PeerBacklogs {
	readonly #context: BacklogContext;
	/** Of those for whom something waits, by address and port. */
	readonly #backlogs = new Map<string, Backlog>();

	constructor(context: BacklogContext) {
		this.#context = context;
	}

	/** @throws EngineError `OVERLOADED`: new work would only make more answers that nobody takes */
	check(peer: string): void {
		const backlog = this.#backlogs.get(peer);
		if (backlog === undefined || !(backlog.isCrowded || backlog.isOneTooMany)) return;
		const message = `${backlog.bytes} bytes of answers wait on this connection: read them, then ask again`;
		throw new EngineError('OVERLOADED', message, { retryAfterMs: RETRY_AFTER_MS });
	}

	/** An answer was written, or with a negative number taken. */
	add(peer: string, bytes: number): void {
		const backlog = this.#backlogs.get(peer) ?? new Backlog(this.#context);
		backlog.set(backlog.bytes + bytes);
		if (backlog.bytes > 0) this.#backlogs.set(peer, backlog);
		else this.#backlogs.delete(peer);
	}
}
