/** Tickets find their owner and nobody else's; an owner's own list survives any order of coming and going. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenRequests, type Owner } from '../../src/server/open-requests.js';

const newOwner = (): Owner => ({ newestSlot: -1 });

/** The ticket of a slot that was used so often before. */
const ticketOf = (slot: number, uses = 0): number => (uses << 20) | slot;

test('a ticket finds its owner until it is removed', () => {
	const open = new OpenRequests();
	const owner = newOwner();
	open.add(ticketOf(3), owner);
	expect(open.ownerOf(ticketOf(3))).toBe(owner);
	expect(open.remove(ticketOf(3))).toBe(true);
	expect(open.remove(ticketOf(3))).toBe(false);
	expect(open.ownerOf(ticketOf(3))).toBeUndefined();
	expect(open.count).toBe(0);
});

test("an old ticket does not reach its slot's next user", () => {
	const open = new OpenRequests();
	const next = newOwner();
	open.add(ticketOf(3), newOwner());
	open.remove(ticketOf(3));
	open.add(ticketOf(3, 1), next);
	expect(open.ownerOf(ticketOf(3))).toBeUndefined();
	expect(open.remove(ticketOf(3))).toBe(false);
	expect(open.ownerOf(ticketOf(3, 1))).toBe(next);
});

test('slots beyond the first table are kept', () => {
	const open = new OpenRequests();
	const owner = newOwner();
	for (let slot = 0; slot < 5000; slot++) open.add(ticketOf(slot), owner);
	for (let slot = 0; slot < 5000; slot++) expect(open.ownerOf(ticketOf(slot))).toBe(owner);
	expect(open.count).toBe(5000);
});

test('it behaves as a map of tickets to owners does, and each owner knows its newest', () => {
	const step = fc.record({ owner: fc.nat(3), slot: fc.nat(40), adds: fc.boolean() });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
			const open = new OpenRequests();
			const owners = Array.from({ length: 4 }, newOwner);
			const model = new Map<number, Owner>();
			for (const { owner, slot, adds } of steps) {
				const who = owners[owner] as Owner;
				if (adds && !model.has(slot)) {
					open.add(ticketOf(slot), who);
					model.set(slot, who);
				} else if (!adds) {
					expect(open.remove(ticketOf(slot))).toBe(model.delete(slot));
				}
				for (const each of owners) expect(open.newestOf(each)).toBe([...model].findLast(([, of]) => of === each)?.[0]);
			}
			expect(open.count).toBe(model.size);
		}),
	);
});
