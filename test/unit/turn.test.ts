/** Requests of one turn are one flush; answers find their receivers; nobody who has gone is called. */
import { setImmediate as turnOver } from 'node:timers/promises';
import { pack } from 'msgpackr';
import { expect, test } from 'vitest';
import { catalogue } from '../../src/errors.js';
import { Codec, flagsCode, Operation } from '../../src/native/addon.js';
import { Receiver, Turn, type TurnOptions } from '../../src/server/turn.js';
import { FakeEngine } from '../support/fake-engine.js';

class Mailbox extends Receiver {
	readonly codes: number[] = [];
	readonly jsonBytes: number[] = [];
	deliveries = 0;
	override receive(_bytes: Uint8Array, flags: number, _queueUs: number, _computeUs: number, jsonBytes: number): void {
		this.codes.push(flagsCode(flags));
		this.jsonBytes.push(jsonBytes);
	}
	override deliver(): void {
		this.deliveries++;
	}
}

function newTurn(options: Partial<TurnOptions> = {}) {
	const engine = new FakeEngine();
	return { engine, turn: new Turn(engine, { flushBudgetUs: 1000, ...options }) };
}

const frame = (id: number) => Uint8Array.from(pack([1, 1, id, 'tiny', null, null, null, {}])).buffer;
const envelope = { operation: Operation.recommend, target: 'tiny', deadlineMs: 5, requestId: 'a', traceparent: 't' };

test('what one turn of the event loop collects is flushed once', async () => {
	const { engine, turn } = newTurn();
	const mailbox = new Mailbox();
	for (let id = 0; id < 64; id++) turn.submitFrame(mailbox, frame(id));
	expect(engine.flushes).toEqual([]);
	await Promise.resolve();
	expect(engine.flushes, 'a microtask is too early').toEqual([]);
	await turn.whenIdle();
	expect(engine.flushes).toEqual([64]);
	expect(mailbox).toMatchObject({ codes: Array(64).fill(0), deliveries: 1 });
});

test('while work is left, the loop turns between flushes', async () => {
	const { engine, turn } = newTurn();
	engine.answersPerFlush = 2;
	const mailbox = new Mailbox();
	for (let id = 0; id < 5; id++) turn.submitFrame(mailbox, frame(id));
	await turnOver();
	expect(engine.flushes).toEqual([2]);
	await turn.whenIdle();
	expect(engine.flushes).toEqual([2, 2, 1]);
	expect(mailbox.deliveries).toBe(3);
});

test('long work comes back when the engine calls', async () => {
	const { engine, turn } = newTurn();
	engine.isHeld = true;
	const mailbox = new Mailbox();
	turn.submitFrame(mailbox, frame(1));
	await turnOver();
	expect(mailbox.codes).toEqual([]);
	engine.release();
	await turn.whenIdle();
	expect(mailbox.codes).toEqual([0]);
});

test('a body travels with its envelope', async () => {
	const { engine, turn } = newTurn();
	turn.submitBody(new Mailbox(), Buffer.from('{}'), Codec.json, envelope);
	expect(engine.requests[0]).toMatchObject({ ...envelope, codec: Codec.json });
});

test('a receiver that has gone is not called, and the engine is told', async () => {
	const { engine, turn } = newTurn();
	const [gone, other] = [new Mailbox(), new Mailbox()];
	const tickets = [turn.submitFrame(gone, frame(1)), turn.submitFrame(gone, frame(2))];
	turn.submitFrame(other, frame(3));
	turn.cancelAll(gone);
	await turn.whenIdle();
	expect(engine.cancelled.sort()).toEqual(tickets);
	expect(gone).toMatchObject({ codes: [], deliveries: 0 });
	expect(other.codes).toEqual([0]);
});

test('the last caller to go leaves the turn idle', async () => {
	const { engine, turn } = newTurn();
	engine.isHeld = true;
	const ticket = turn.submitFrame(new Mailbox(), frame(1));
	await turnOver();
	const idle = turn.whenIdle();
	turn.cancel(ticket);
	await idle;
	expect(turn.openRequests).toBe(0);
});

test('cancelling twice, or after the answer, is nothing', async () => {
	const { engine, turn } = newTurn();
	const ticket = turn.submitFrame(new Mailbox(), frame(1));
	await turn.whenIdle();
	turn.cancel(ticket);
	expect(engine.cancelled).toEqual([]);
});

test('a full table is settled first, so that even a refusal has an answer', async () => {
	const { engine, turn } = newTurn();
	const mailbox = new Mailbox();
	turn.submitFrame(mailbox, frame(1));
	engine.refusals = [catalogue.OVERLOADED.number];
	turn.submitFrame(mailbox, frame(2));
	expect(engine.flushes).toEqual([1]);
	await turn.whenIdle();
	expect(mailbox.codes).toEqual([0, 0]);
});

test.each(['OVERLOADED', 'ENGINE_CLOSED', 'TOO_LARGE'] as const)('what the engine does not take is thrown: %s', (code) => {
	const { engine, turn } = newTurn();
	engine.refusals = [catalogue[code].number, catalogue[code].number];
	expect(() => turn.submitFrame(new Mailbox(), frame(1))).toThrow(expect.objectContaining({ code }));
	expect(turn.openRequests).toBe(0);
});

test('faults of ours are reported with their answer', async () => {
	const faults: string[] = [];
	const { engine, turn } = newTurn({ onFault: (code) => faults.push(code) });
	engine.answer = ({ ticket }) => ({ code: ticket === 0 ? 'INTERNAL' : 'UNKNOWN_MODEL' });
	const mailbox = new Mailbox();
	for (const id of [1, 2]) turn.submitFrame(mailbox, frame(id));
	await turn.whenIdle();
	expect(faults).toEqual(['INTERNAL']);
	expect(mailbox.codes).toEqual([catalogue.INTERNAL.number, catalogue.UNKNOWN_MODEL.number]);
});

test('an OIP body goes on with the length of its JSON, and so does its answer', async () => {
	const { engine, turn } = newTurn();
	engine.answer = () => ({ body: Buffer.from('{"outputs":[]}1234'), jsonBytes: 14 });
	const mailbox = new Mailbox();
	turn.submitBody(mailbox, Buffer.from('{}1234'), Codec.oip, { ...envelope, operation: Operation.infer, jsonBytes: 2 });
	await turn.whenIdle();
	expect(engine.requests).toMatchObject([{ codec: Codec.oip, jsonBytes: 2 }]);
	expect(mailbox.jsonBytes).toEqual([14]);
});
