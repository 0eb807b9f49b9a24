/** A pool that carries nothing: it writes down what it was given, and gives it to two connections by turns. */
import { unpack } from 'msgpackr';
import type { Attempt } from '../../src/client/attempt.js';
import { Connection } from '../../src/client/connection.js';

export interface SentAttempt {
	attempt: Attempt;
	avoid: Connection | undefined;
	atMs: number;
	deadlineMs: number | null;
}

const newConnection = (url: string) => new Connection(url, { connectTimeoutMs: 1, onReady() {}, onLost() {} });

export class FakePool {
	readonly connections = [newConnection('ws://a'), newConnection('ws://b')];
	readonly sent: SentAttempt[] = [];
	readonly forgotten: Attempt[] = [];
	/** Forgotten at their deadline. */
	readonly late: Attempt[] = [];
	onSend: (attempt: Attempt) => void = () => {};
	/** Whether the second connection stands. */
	hasOther = true;

	nextId(): number {
		return this.sent.length + 1;
	}

	send(attempt: Attempt, avoid?: Connection): void {
		this.#send(this.connections[this.sent.length % 2] as Connection, attempt, avoid);
	}

	other(connection: Connection): Connection | undefined {
		return this.hasOther ? this.connections.find((each) => each !== connection) : undefined;
	}

	sendOn(connection: Connection, attempt: Attempt): void {
		this.#send(connection, attempt, undefined);
	}

	forget(attempt: Attempt): void {
		this.forgotten.push(attempt);
	}

	expired(attempt: Attempt): void {
		this.late.push(attempt);
	}

	attempt(at: number): Attempt {
		return (this.sent[at] as SentAttempt).attempt;
	}

	isForgotten(attempt: Attempt): boolean {
		return this.forgotten.includes(attempt) || this.late.includes(attempt);
	}

	#send(connection: Connection, attempt: Attempt, avoid: Connection | undefined): void {
		attempt.connection = connection;
		const [, , , , deadlineMs] = unpack(attempt.frame()) as [1, 1, 1, '', number | null];
		this.sent.push({ attempt, avoid, atMs: performance.now(), deadlineMs });
		this.onSend(attempt);
	}
}
