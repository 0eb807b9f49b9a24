/** Who waits for which ticket, in flat arrays: a request costs no object, and a receiver that goes costs what it has open. */
import { ticketSlot } from '../native/addon.js';

const NONE = -1;
const FIRST_SLOTS = 1024;

/** One for whom requests are open; the list of them is threaded through the arrays below. */
export interface Owner {
	/** Slot of the newest of them, -1 while there is none; written by `OpenRequests` alone. */
	newestSlot: number;
}

export class OpenRequests<O extends Owner> {
	readonly #owners: (O | undefined)[] = [];
	/** By slot, as all of these: the ticket that holds it, or NONE. */
	#tickets = new Int32Array(FIRST_SLOTS).fill(NONE);
	#older = new Int32Array(FIRST_SLOTS);
	#newer = new Int32Array(FIRST_SLOTS);
	#count = 0;

	get count(): number {
		return this.#count;
	}

	add(ticket: number, owner: O): void {
		const slot = ticketSlot(ticket);
		if (slot >= this.#tickets.length) this.#grow(slot + 1);
		this.#tickets[slot] = ticket;
		this.#owners[slot] = owner;
		this.#older[slot] = owner.newestSlot;
		this.#newer[slot] = NONE;
		if (owner.newestSlot !== NONE) this.#newer[owner.newestSlot] = slot;
		owner.newestSlot = slot;
		this.#count++;
	}

	/** Nobody, when the ticket was removed or belongs to an earlier request of its slot. */
	ownerOf(ticket: number): O | undefined {
		const slot = ticketSlot(ticket);
		return this.#tickets[slot] === ticket ? this.#owners[slot] : undefined;
	}

	/** @returns whether it was open */
	remove(ticket: number): boolean {
		const owner = this.ownerOf(ticket);
		if (owner === undefined) return false;
		const slot = ticketSlot(ticket);
		const older = this.#older[slot] as number;
		const newer = this.#newer[slot] as number;
		if (older !== NONE) this.#newer[older] = newer;
		if (newer !== NONE) this.#older[newer] = older;
		else owner.newestSlot = older;
		this.#tickets[slot] = NONE;
		this.#owners[slot] = undefined;
		this.#count--;
		return true;
	}

	/** The ticket that `owner` got last and still has open, or undefined. */
	newestOf(owner: O): number | undefined {
		return owner.newestSlot === NONE ? undefined : this.#tickets[owner.newestSlot];
	}

	#grow(slots: number): void {
		const length = Math.max(slots, 2 * this.#tickets.length);
		const longer = (from: Int32Array) => {
			const to = new Int32Array(length).fill(NONE);
			to.set(from);
			return to;
		};
		this.#tickets = longer(this.#tickets);
		this.#older = longer(this.#older);
		this.#newer = longer(this.#newer);
	}
}
