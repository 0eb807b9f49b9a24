/** The search for the peak, against a queue whose answer is known. */
import { describe, expect, test } from 'vitest';
import { Unmeasurable } from '../../bench/harness/failures.js';
import { findPeak, isInTime, type Point } from '../../bench/harness/peak.js';
import { random } from '../../bench/harness/random.js';

/** M/M/1: response times are exponential with rate mu - lambda, so that p99 = ln 100 / (mu - lambda). */
const queue =
	(servedPerSecond: number) =>
	(perSecond: number): Point => {
		const spare = servedPerSecond - perSecond;
		return { intended: 1000, completed: 1000, latency_us: { p99: spare > 0 ? (Math.log(100) / spare) * 1e6 : 60e6 } };
	};

const BOUND_MS = 20;
/** Where the model's p99 is exactly the bound. */
const peakOf = (servedPerSecond: number): number => servedPerSecond - Math.log(100) / (BOUND_MS / 1000);

describe('the peak of a queue', () => {
	for (const guess of [300, 900, 5_000, 20_000]) {
		test(`is found within 3 % from a guess of ${guess}`, async () => {
			const serve = queue(1000);
			const { perSecond, at } = await findPeak({ boundMs: BOUND_MS, guess, measure: async (rate) => serve(rate) });
			expect(perSecond).toBeLessThanOrEqual(peakOf(1000));
			expect(perSecond).toBeGreaterThanOrEqual(peakOf(1000) / 1.03);
			expect(at.latency_us.p99).toBeLessThanOrEqual(BOUND_MS * 1000);
		});
	}

	test('a rate that passes once by luck is not the peak: the winner passes twice', async () => {
		const serve = queue(1000);
		const next = random(3);
		const tries: { rate: number; ok: boolean }[] = [];
		const measure = async (rate: number) => {
			const point = serve(next() < 0.3 ? 0.9 * rate : rate);
			tries.push({ rate, ok: isInTime(point, BOUND_MS) });
			return point;
		};
		const { perSecond, tried } = await findPeak({ boundMs: BOUND_MS, guess: 1000, measure });
		expect(tries.filter(({ rate, ok }) => rate === perSecond && ok).length).toBeGreaterThanOrEqual(2);
		expect(tried.length).toBe(tries.length);
	});

	test('a rate that cannot be measured counts as too high', async () => {
		const serve = queue(1_000_000);
		const measure = async (rate: number) => {
			if (rate > 500) throw new Unmeasurable('the generator is late');
			return serve(rate);
		};
		const { perSecond } = await findPeak({ boundMs: BOUND_MS, guess: 600, measure });
		expect(perSecond).toBeLessThanOrEqual(500);
		expect(perSecond).toBeGreaterThanOrEqual(500 / 1.03);
	});

	test('a server that drops answers is not in time, however fast the rest come', () => {
		expect(isInTime({ intended: 1000, completed: 980, latency_us: { p99: 10 } }, BOUND_MS)).toBe(false);
		expect(isInTime({ intended: 1000, completed: 995, latency_us: { p99: 10 } }, BOUND_MS)).toBe(true);
	});

	test('a server that never answers in time has no peak', async () => {
		const measure = async () => ({ intended: 10, completed: 10, latency_us: { p99: 1e9 } });
		await expect(findPeak({ boundMs: BOUND_MS, guess: 100, measure })).rejects.toThrow(Unmeasurable);
	});

	test('when nothing can be measured from the start, that is told instead of a slow server', async () => {
		let tries = 0;
		const measure = async () => {
			tries++;
			throw new Unmeasurable('the generator has no core');
		};
		await expect(findPeak({ boundMs: BOUND_MS, guess: 100, measure })).rejects.toThrow('the generator has no core');
		expect(tries).toBe(3);
	});

	test('an error of another kind is not mistaken for a high rate', async () => {
		const measure = () => Promise.reject(new TypeError('a slip'));
		await expect(findPeak({ boundMs: BOUND_MS, guess: 100, measure })).rejects.toThrow(TypeError);
	});
});
