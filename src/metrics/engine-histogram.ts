/** A histogram that is counted in C++ and only shown by prom-client. */
import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import type { Histogram as Counts } from '../native/addon.js';

export type Labels = Record<string, string>;

export interface Series {
	labels: Labels;
	counts: Counts;
}

export interface EngineHistogramOptions {
	name: string;
	help: string;
	/** What one unit of the engine's numbers is in the metric's unit, for example 1e-6 for µs shown as seconds. */
	scale: number;
	read: () => Series[];
}

type Exposition = MetricObjectWithValues<MetricValueWithName<string>>;

/** Overrides what a scrape reads; `observe` is never called. */
export class EngineHistogram extends Histogram {
	readonly #options: EngineHistogramOptions;

	constructor(options: EngineHistogramOptions) {
		super({ name: options.name, help: options.help, registers: [] });
		this.#options = options;
	}

	override async get(): Promise<Exposition> {
		const { name, help, scale, read } = this.#options;
		const values = read().flatMap(({ labels, counts }) => expose(name, labels, counts, scale));
		// prom-client's types name an enum that does not exist at run time.
		return { name, help, type: 'histogram', aggregator: 'sum', values } as unknown as Exposition;
	}

	/** prom-client's text exposition asks for this faster form first. */
	getForPromString(): Promise<Exposition> {
		return this.get();
	}
}

/** The engine's counts lie side by side; Prometheus wants each bucket to hold everything below it as well. */
function expose(name: string, labels: Labels, { bounds, counts, sum }: Counts, scale: number): MetricValueWithName<string>[] {
	let total = 0;
	const buckets = counts.map((count, at) => {
		total += count;
		const bound = bounds[at];
		// Scaling 20 by 1e-6 gives 0.000019999999999999998.
		const le = bound === undefined ? '+Inf' : String(Number((bound * scale).toPrecision(12)));
		return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
	});
	return [...buckets, { metricName: `${name}_sum`, labels, value: sum * scale }, { metricName: `${name}_count`, labels, value: total }];
}
