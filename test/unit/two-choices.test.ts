/** The less loaded of two random connections, and what counts as load. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { random } from '../../bench/harness/random.js';
import { DecayingSum } from '../../src/client/decaying-sum.js';
import { lessLoadedOfTwo } from '../../src/client/two-choices.js';

test('none of none, the only one of one', () => {
	expect(lessLoadedOfTwo([])).toBeUndefined();
	const only = { load: 9 };
	expect(lessLoadedOfTwo([only])).toBe(only);
});

test('of two, always the less loaded', () => {
	const all = [{ load: 3 }, { load: 2 }];
	const next = random(1);
	expect(Array.from({ length: 100 }, () => lessLoadedOfTwo(all, next)?.load)).toEqual(Array(100).fill(2));
});

test('the two are different, and every pair comes equally often', () => {
	const all = Array.from({ length: 5 }, () => ({ load: 0 }));
	const next = random(1);
	const chosen = new Map(all.map((candidate) => [candidate, 0]));
	for (let at = 0; at < 50_000; at++) {
		const one = lessLoadedOfTwo(all, next) as { load: number };
		chosen.set(one, (chosen.get(one) ?? 0) + 1);
	}
	for (const times of chosen.values()) expect(times / 10_000).toBeCloseTo(1, 1);
	// The most loaded is never chosen: it would have to meet itself.
	const [first] = all as [{ load: number }];
	first.load = 1;
	for (let at = 0; at < 1000; at++) expect(lessLoadedOfTwo(all, next)).not.toBe(first);
});

describe('many clients, and a host that is slower than the others', () => {
	const CLIENTS = 20;
	const SECONDS = 10;
	const LONGEST_WAIT_MS = 20;

	interface Host {
		readonly serviceMs: number;
		freeAtMs: number;
	}

	/** One client's view of a host. */
	interface View {
		readonly host: Host;
		inFlight: number;
		readonly unserved: DecayingSum;
		readonly load: number;
	}

	function newView(host: Host, areUnservedWeighed: boolean): View {
		const unserved = new DecayingSum(1000);
		return {
			host,
			inFlight: 0,
			unserved,
			get load() {
				return this.inFlight + (areUnservedWeighed ? unserved.value : 0);
			},
		};
	}

	/** Sends one request to the client's choice. @param refusalMs until the client knows that it is not served @returns whether it is */
	function send(views: readonly View[], refusalMs: number, next: () => number): boolean {
		const view = lessLoadedOfTwo(views, next) as View;
		const nowMs = performance.now();
		const startMs = Math.max(nowMs, view.host.freeAtMs);
		const isAdmitted = startMs - nowMs <= LONGEST_WAIT_MS;
		if (isAdmitted) view.host.freeAtMs = startMs + view.host.serviceMs * (0.5 + next());
		view.inFlight++;
		setTimeout(
			() => {
				view.inFlight--;
				if (!isAdmitted) view.unserved.add(1);
			},
			isAdmitted ? view.host.freeAtMs - nowMs : refusalMs,
		);
		return isAdmitted;
	}

	/** The share of requests that are served by the first host asked. Poisson arrivals at 80 % of what the hosts can do. */
	function served(refusalMs: number, areUnservedWeighed: boolean): number {
		vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
		onTestFinished(() => {
			vi.useRealTimers();
		});
		const hosts = [1, 1, 4].map((serviceMs) => ({ serviceMs, freeAtMs: 0 }));
		const capacityPerMs = hosts.reduce((sum, { serviceMs }) => sum + 1 / serviceMs, 0);
		const clients = Array.from({ length: CLIENTS }, () => hosts.map((host) => newView(host, areUnservedWeighed)));
		const next = random(7);
		let [sent, admitted] = [0, 0];
		for (const endMs = performance.now() + SECONDS * 1000; performance.now() < endMs; sent++) {
			vi.advanceTimersByTime(-Math.log(1 - next()) / (0.8 * capacityPerMs));
			admitted += Number(send(clients[Math.floor(next() * CLIENTS)] as View[], refusalMs, next));
		}
		return admitted / sent;
	}

	test.each([
		['refuses at once what it cannot do in time', 0.2],
		['lets the time of requests pass', LONGEST_WAIT_MS],
	])('that %s: unserved requests that count as load keep clients away, requests in flight alone do not', (_, refusalMs) => {
		expect(served(refusalMs, false)).toBeLessThan(0.95);
		expect(served(refusalMs, true)).toBeGreaterThan(0.99);
	});
});
