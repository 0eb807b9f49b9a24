/** Request bodies, from the shipped bundle's own users and items or over generated tables; the same seed gives the same bodies. */
import { existsSync, readFileSync } from 'node:fs';
import { unpack } from 'msgpackr';
import type { Requests } from '../harness/endpoints.js';
import { Unmeasurable } from '../harness/failures.js';
import { inRoot } from '../harness/paths.js';
import { distinctBelow, random, wholeBelow } from '../harness/random.js';

/** Different requests per corpus: enough that caches do not know them by heart, few enough to write quickly. */
const COUNT = 512;
const K = 10;

/** How candidates are named: rows of the item table or u64 ids as bytes, or a list of ids. */
export type IdForm = 'u32 rows' | 'u64 ids' | 'list of ids' | 'list of texts';

const isText = (form: IdForm): boolean => form === 'list of texts';

/** `recommend` for users of the bundle `packages`, as `heldout.msgpack` lists them. */
export function packagesRecommend(seed = 1): Requests {
	const next = random(seed);
	const { users } = packagesHeldOut();
	return { operation: 'recommend', target: 'packages', bodies: times(COUNT, () => ({ user: pick(next, users), k: K })) };
}

/** `rank` for users of the bundle `packages` with candidates among its held-out items. */
export function packagesRank(candidates: number, seed = 1): Requests {
	const next = random(seed);
	const { users, items } = packagesHeldOut();
	const body = () => ({
		user: pick(next, users),
		candidates: distinctBelow(next, items.length, candidates).map((at) => items[at] as string),
		k: K,
	});
	return { operation: 'rank', target: 'packages', bodies: times(COUNT, body) };
}

export interface Catalogue {
	name: string;
	items: number;
	users: number;
}

/** `rank` with candidates uniform over a generated catalogue. */
export function rankRequests({ name, items, users }: Catalogue, form: IdForm, candidates: number, seed = 1): Requests {
	const next = random(seed);
	const body = () => ({
		user: userId(1 + wholeBelow(next, users), isText(form)),
		...candidatesAs(form, distinctBelow(next, items, candidates)),
		k: K,
	});
	return { operation: 'rank', target: name, bodies: times(COUNT, body) };
}

/** `recommend` for users of a generated catalogue. */
export function recommendRequests({ name, users }: Catalogue, seed = 1): Requests {
	const next = random(seed);
	return { operation: 'recommend', target: name, bodies: times(COUNT, () => ({ user: userId(1 + wholeBelow(next, users), false), k: K })) };
}

/** `score` with `rows` rows of `features` numbers each. */
export function scoreRequests(target: string, features: number, rows: number, seed = 1): Requests {
	const next = random(seed);
	const body = () => ({ rows: bytesOf(Float32Array.from({ length: rows * features }, () => 2 * next() - 1)) });
	return { operation: 'score', target, bodies: times(COUNT, body) };
}

/** Ids of the generated bundles, as bench/models/make.py gives them out. */
const itemId = (row: number): number => 1000 + 7 * row;
const userId = (user: number, text: boolean): number | string => (text ? `user-${user}` : user);

function candidatesAs(form: IdForm, rows: readonly number[]): { candidates: unknown; id_type?: string } {
	if (form === 'u32 rows') return { candidates: bytesOf(Uint32Array.from(rows)), id_type: 'u32_row' };
	if (form === 'u64 ids') return { candidates: bytesOf(BigUint64Array.from(rows, (row) => BigInt(itemId(row)))), id_type: 'u64' };
	return { candidates: isText(form) ? rows.map((row) => `item-${row}`) : rows.map(itemId) };
}

/** msgpackr writes typed arrays in a form of its own; bytes are bytes. */
const bytesOf = (array: Float32Array | Uint32Array | BigUint64Array): Buffer =>
	Buffer.from(array.buffer, array.byteOffset, array.byteLength);

interface HeldOut {
	users: string[];
	items: string[];
}

let heldOut: HeldOut | undefined;

function packagesHeldOut(): HeldOut {
	heldOut ??= readHeldOut(inRoot('models', 'packages', '1.0.0', 'heldout.msgpack'));
	return heldOut;
}

function readHeldOut(file: string): HeldOut {
	if (!existsSync(file)) throw new Unmeasurable('the shipped bundle models/packages/1.0.0 is not there');
	const pairs = unpack(readFileSync(file)) as [user: string, item: string][];
	return { users: unique(pairs.map(([user]) => user)), items: unique(pairs.map(([, item]) => item)) };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
const pick = <T>(next: () => number, values: readonly T[]): T => values[wholeBelow(next, values.length)] as T;
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
