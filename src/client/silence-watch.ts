/** Finds out that a peer is gone although its connection stands: a machine without power closes nothing. */
import { WebSocket } from 'ws';

export class SilenceWatch {
	readonly #socket: WebSocket;
	readonly #timeoutMs: number;
	readonly #onHeard: () => void;
	/** The oldest request since anything was heard. */
	#oldestId: number | undefined;
	#timer: NodeJS.Timeout | undefined;

	/** @param onHeard the peer was silent and speaks again */
	constructor(socket: WebSocket, timeoutMs: number, onHeard: () => void) {
		this.#socket = socket;
		this.#timeoutMs = timeoutMs;
		this.#onHeard = onHeard;
		for (const event of ['message', 'ping', 'pong']) socket.on(event, () => this.#heard());
	}

	/** It missed a deadline, and has not answered our ping yet. */
	get isSilent(): boolean {
		return this.#timer !== undefined;
	}

	/** @param id later requests have higher ones */
	sent(id: number): void {
		this.#oldestId ??= id;
	}

	/** Pings a peer that has said nothing since this request was sent, and ends the connection when it stays silent. */
	expired(id: number): void {
		const wasHeardSince = this.#oldestId === undefined || id < this.#oldestId;
		if (wasHeardSince || this.isSilent || this.#socket.readyState !== WebSocket.OPEN) return;
		this.#socket.ping();
		this.#timer = setTimeout(() => this.#socket.terminate(), this.#timeoutMs);
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#heard(): void {
		this.#oldestId = undefined;
		if (!this.isSilent) return;
		this.stop();
		this.#onHeard();
	}
}
