import { expect, test } from 'vitest';
import { mergeLoads } from '../../bench/harness/merge-loads.js';
import { chartOf, checksOf, rowsOf } from '../../bench/peers/answer.js';
import type { Measured, WorkMeasured } from '../../bench/peers/measure.js';
import { loadResult } from './support/load-result.js';

const p99Of = (us: number) => mergeLoads([loadResult({ histogram: [[us, 100]] })]);

/** A server that answers `perSecond`; at every load its p99 is `p99Us`, rankd's 1 ms. */
function measured(name: string, perSecond: number, p99Us = 1000, shares: readonly number[] = [0.2, 0.5, 0.8]): Measured {
	const rates = [perSecond * 0.9, perSecond, perSecond * 1.1];
	return {
		subject: { name, work: 'rank', inFlight: '16 x 1' },
		closed: rates.map((rate) => ({
			result: loadResult({ completed_per_second: rate }),
			serverUtilisation: 1,
			cpuUsPerRequest: 1e6 / rate,
			residentBytes: 2 ** 20,
		})),
		equalLoads: shares.map((share) => ({
			share,
			perSecond: share * perSecond,
			peer: p99Of(p99Us),
			rankd: p99Of(1000),
			lead: p99Us / 1000,
		})),
		inTime: { perSecond: 0.9 * perSecond, at: loadResult(), tried: [{ perSecond: 0.9 * perSecond, ok: true, p99Ms: 4 }] },
	};
}

const bare = { runs_per_second: 3000, p50_us: 300, p99_us: 400 };
const workOf = (...others: Measured[]): WorkMeasured => ({ rankd: { ...measured('rankd', 2000), equalLoads: [] }, others, bare });
const failed = (work: WorkMeasured) =>
	checksOf(work, work.others)
		.filter(({ ok }) => !ok)
		.map(({ name }) => name);

test('every row of a table has the same columns, ONNX Runtime alone too', () => {
	const rows = rowsOf(workOf(measured('slow', 500, 3000)));
	expect(rows.map((row) => row['server'])).toEqual(['rankd', 'slow', 'ONNX Runtime alone']);
	for (const row of rows) expect(Object.keys(row)).toEqual(Object.keys(rows[0] ?? {}));
	expect(rows[1]).toMatchObject({ 'rankd is x times': 4, 'p99 ms at 50 %': 3, 'p99 ms at 50 %, rankd': 1 });
});

test('rankd ahead everywhere passes every check', () => {
	expect(failed(workOf(measured('slow', 500, 3000), measured('slower', 400, 9000)))).toEqual([]);
});

test('the best peer decides whether ranking is far enough ahead', () => {
	const work = workOf(measured('slow', 500, 3000), measured('quick', 1600, 3000));
	expect(failed(work)).toEqual(['rank: throughput of rankd over the best peer']);
});

test('a lower p99 of a peer fails the check of that load alone', () => {
	const peer = measured('steady', 500, 3000);
	const load = peer.equalLoads[1];
	if (!load) throw new Error('there are three loads');
	load.lead = 0.5;
	expect(failed(workOf(peer))).toEqual(["rank: p99 of steady over rankd's, at 50 % of its peak"]);
});

test('a load that could not be measured proves nothing', () => {
	expect(failed(workOf(measured('odd', 500, 3000, [0.2, 0.5])))).toEqual(["rank: p99 of odd over rankd's, at 80 % of its peak"]);
});

test('a peer that is in time at no rate is behind, a rankd that is in time at none is not ahead', () => {
	expect(failed(workOf({ ...measured('never', 500, 3000), inTime: 'never' }))).toEqual([]);
	const work = workOf(measured('slow', 500, 3000));
	expect(failed({ ...work, rankd: { ...work.rankd, inTime: 'never' } })).toEqual(['rank: rate with p99 <= 20 ms of rankd over slow']);
});

test('a search that the generator could not make proves nothing', () => {
	const work = workOf({ ...measured('odd', 500, 3000), inTime: 'void' });
	expect(failed(work)).toEqual(['rank: rate with p99 <= 20 ms of rankd over odd']);
	expect(rowsOf(work)[1]).toMatchObject({ 'req/s, p99 <= 20 ms': null });
});

test('the picture shows rankd at the rates of all peers', () => {
	const { series } = chartOf(workOf(measured('slow', 500), measured('slower', 100)));
	expect(series.find(({ name }) => name === 'rankd')?.points.map(({ x }) => x)).toEqual([20, 50, 80, 100, 250, 400, 1800]);
});
