/** Request bodies are the same for the same seed, and ask for what exists. */
import { unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { frameOf } from '../../bench/harness/corpus.js';
import { distinctBelow, random, wholeBelow } from '../../bench/harness/random.js';
import {
	type IdForm,
	packagesRank,
	packagesRecommend,
	rankRequests,
	recommendRequests,
	scoreRequests,
} from '../../bench/questions/requests.js';

const catalogue = { name: 'ranker-u64', items: 1000, users: 20 };
type RankBody = { user: number | string; candidates: Buffer | (number | string)[]; id_type?: string; k: number };

const generators: [string, (seed: number) => unknown][] = [
	['recommend of packages', packagesRecommend],
	['rank of packages', (seed) => packagesRank(50, seed)],
	['rank of a generated catalogue', (seed) => rankRequests(catalogue, 'u32 rows', 50, seed)],
	['recommend of a generated catalogue', (seed) => recommendRequests(catalogue, seed)],
	['score', (seed) => scoreRequests('scorer', 4, 2, seed)],
];

test.each(generators)('%s: one seed gives the same bodies again, another seed others', (_, make) => {
	expect(make(5)).toEqual(make(5));
	expect(make(5)).not.toEqual(make(6));
});

describe('candidates', () => {
	const rowsOf: Record<IdForm, (candidates: RankBody['candidates']) => number[]> = {
		'u32 rows': (bytes) => [...new Uint32Array(new Uint8Array(bytes as Buffer).buffer)],
		'u64 ids': (bytes) => [...new BigUint64Array(new Uint8Array(bytes as Buffer).buffer)].map((id) => (Number(id) - 1000) / 7),
		'list of ids': (ids) => (ids as number[]).map((id) => (id - 1000) / 7),
		'list of texts': (ids) => (ids as string[]).map((id) => Number(id.replace('item-', ''))),
	};
	const forms = Object.keys(rowsOf) as IdForm[];

	test.each(forms)('as %s are different rows of the catalogue, of a user that exists', (form) => {
		for (const body of rankRequests(catalogue, form, 200).bodies.slice(0, 20) as RankBody[]) {
			const rows = rowsOf[form](body.candidates);
			expect(new Set(rows).size).toBe(200);
			expect(rows.every((row) => Number.isInteger(row) && row >= 0 && row < catalogue.items)).toBe(true);
			expect(Number(String(body.user).replace('user-', ''))).toBeGreaterThanOrEqual(1);
			expect(body.id_type).toBe({ 'u32 rows': 'u32_row', 'u64 ids': 'u64', 'list of ids': undefined, 'list of texts': undefined }[form]);
		}
	});

	test('are the same rows however they are named, so that only the naming is compared', () => {
		const [first, ...others] = forms.map((form) => {
			const body = rankRequests(catalogue, form, 200).bodies[3] as RankBody;
			return rowsOf[form](body.candidates);
		});
		for (const other of others) expect(other).toEqual(first);
	});

	test('cannot be more than there are', () => expect(() => rankRequests(catalogue, 'u32 rows', 1001)).toThrow('no 1001 different'));
});

test('a frame carries the body behind room for the generator’s id', () => {
	const frame = frameOf({ operation: 2, target: 'packages', body: { k: 3 } });
	expect(frame[3]).toBe(0xce);
	frame.writeUInt32BE(77, 4);
	expect(unpack(frame)).toEqual([1, 2, 77, 'packages', null, null, null, { k: 3 }]);
});

test('random numbers are spread evenly and repeat with their seed', () => {
	const next = random(11);
	const counts = new Array<number>(10).fill(0);
	for (let at = 0; at < 10_000; at++) {
		const chosen = wholeBelow(next, 10);
		counts[chosen] = (counts[chosen] ?? 0) + 1;
	}
	for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
	expect(distinctBelow(random(11), 100, 100).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at));
});
