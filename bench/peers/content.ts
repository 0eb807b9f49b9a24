/** What is asked of every server, before it takes a server's own form; the same seed gives the same requests. */
import { distinctBelow, random, wholeBelow } from '../harness/random.js';

export type WorkName = 'infer' | 'rank' | 'score';
export const workNames: readonly WorkName[] = ['infer', 'rank', 'score'];

export type Content =
	/** One row for the small MLP. */
	| { work: 'infer'; x: readonly number[] }
	/** One row for the tree ensemble. */
	| { work: 'score'; row: readonly number[] }
	| { work: 'rank'; user: number; candidates: readonly number[]; k: number };

/** More than a tree ensemble could serve from branches it has just learnt to predict. */
const COUNT = 1024;
const INFER_WIDTH = 64;
const SCORE_WIDTH = 247;
const CANDIDATES = 200;
const K = 10;

/** @param catalogue how many items and users the generated ranker has */
export function contents(work: WorkName, catalogue: { items: number; users: number }, count = COUNT, seed = 1): Content[] {
	const next = random(seed);
	const make: Record<WorkName, () => Content> = {
		infer: () => ({ work: 'infer', x: numbers(next, INFER_WIDTH) }),
		score: () => ({ work: 'score', row: numbers(next, SCORE_WIDTH) }),
		rank: () => ({
			work: 'rank',
			user: 1 + wholeBelow(next, catalogue.users),
			candidates: distinctBelow(next, catalogue.items, CANDIDATES).map(itemId),
			k: K,
		}),
	};
	return Array.from({ length: count }, make[work]);
}

/** As bench/models/make.py gives them out. */
const itemId = (row: number): number => 1000 + 7 * row;

/** In [-2, 2] with four decimals: what people log and send, and short in JSON. */
const numbers = (next: () => number, count: number): number[] =>
	Array.from({ length: count }, () => Math.round((4 * next() - 2) * 1e4) / 1e4);
