/** One axis of a chart: where a value stands, and round numbers to label. */
import { numberText } from './table.js';

export interface Axis {
	/** The coordinate of a value, to a tenth of a pixel. */
	place(value: number): number;
	ticks: { at: number; label: string }[];
}

interface AxisOptions {
	log?: boolean | undefined;
	/** Coordinates of the lowest and the highest value. */
	from: number;
	to: number;
	/** Ends at the data, not at round numbers, and need not begin at zero. */
	tight?: boolean;
}

/** Nothing that is measured here is smaller, and nothing that is drawn can be told apart closer. */
const SMALLEST = 1e-9;

export function axisOf(values: readonly number[], { log = false, from, to, tight = false }: AxisOptions): Axis {
	const usable = values.filter((value) => Number.isFinite(value) && (!log || value >= SMALLEST));
	const [lowest, highest] = spread(usable, log);
	const ticks = log ? logTicks(lowest, highest) : linearTicks(tight ? lowest : Math.min(0, lowest), highest);
	const low = tight ? lowest : Math.min(lowest, ticks[0] ?? lowest);
	const high = tight ? highest : Math.max(highest, ticks.at(-1) ?? highest);
	const scale = log ? Math.log10 : (value: number) => value;
	const place = (value: number) => {
		const clamped = Math.min(high, Math.max(low, value));
		const share = (scale(clamped) - scale(low)) / (scale(high) - scale(low));
		return Math.round((from + share * (to - from)) * 10) / 10;
	};
	const shown = ticks.filter((tick) => tick >= low && tick <= high);
	return { place, ticks: shown.map((tick) => ({ at: place(tick), label: numberText(tick) })) };
}

/** Lowest and highest, never the same: one value alone stands on an axis from zero. */
function spread(values: readonly number[], log: boolean): [number, number] {
	if (values.length === 0) return [log ? 1 : 0, 10];
	const [lowest, highest] = values.reduce(
		([low, high], value) => [Math.min(low, value), Math.max(high, value)],
		[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
	);
	if (highest - lowest > SMALLEST * Math.max(1, Math.abs(highest))) return [lowest, highest];
	if (log) return [lowest / 2, highest * 2];
	return Math.abs(highest) > SMALLEST ? [Math.min(0, lowest), Math.max(0, highest)] : [0, 1];
}

/** Steps of 1, 2 or 5 times a power of ten that give four to ten ticks, the first at or below `low`, the last at or above `high`. */
function linearTicks(low: number, high: number): number[] {
	const rough = (high - low) / 6;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
	const first = Math.floor(low / step);
	const last = Math.ceil(high / step - 1e-9);
	return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Powers of ten, and 2 and 5 times them while few enough to read. */
function logTicks(low: number, high: number): number[] {
	const first = Math.floor(Math.log10(low));
	const last = Math.ceil(Math.log10(high));
	const factors = last - first <= 3 ? [1, 2, 5] : [1];
	const all = Array.from({ length: last - first + 1 }, (_, at) =>
		factors.map((factor) => Number((factor * 10 ** (first + at)).toPrecision(12))),
	).flat();
	const below = all.filter((tick) => tick <= low).at(-1) ?? low;
	const above = all.find((tick) => tick >= high) ?? high;
	return all.filter((tick) => tick >= below && tick <= above);
}
