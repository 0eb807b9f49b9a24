/** Prometheus' text format, written from values that are read when a scrape asks for them. */
import type { Histogram } from '../native/addon.js';

export type Labels = Readonly<Record<string, string>>;

/** In seconds, which metrics of ours are in. */
export const MICROSECOND = 1e-6;

/** One value per combination of labels; a series that is no longer read is gone. */
export type Read = () => readonly (readonly [Labels, number])[];

export interface Series {
	labels: Labels;
	counts: Histogram;
}

export interface HistogramOptions {
	name: string;
	help: string;
	/** What one unit of the counts is in the metric's unit, for example 1e-6 for µs shown as seconds. */
	scale: number;
	read: () => readonly Series[];
}

/** One series for each name that was counted. */
export function byName(counts: Readonly<Record<string, number>>, label: string, labels: Labels = {}): [Labels, number][] {
	return Object.entries(counts).map(([name, count]) => [{ ...labels, [label]: name }, count]);
}

/** Metric families in the order they were added. */
export class Exposition {
	readonly #families: (() => string)[] = [];
	#scrapes = 0;

	counter(name: string, help: string, read: Read): void {
		this.#add(name, 'counter', help, read);
	}

	gauge(name: string, help: string, read: Read): void {
		this.#add(name, 'gauge', help, read);
	}

	histogram(options: HistogramOptions): void {
		const family = new HistogramFamily(options);
		this.#families.push(() => family.render());
	}

	/** For what several metrics show parts of: reads it once for each scrape. */
	once<T>(read: () => T): () => T {
		let last: { scrape: number; value: T } | undefined;
		return () => {
			if (last?.scrape !== this.#scrapes) last = { scrape: this.#scrapes, value: read() };
			return last.value;
		};
	}

	/** One scrape; every value is read anew. */
	render(): string {
		this.#scrapes++;
		return this.#families.map((family) => family()).join('');
	}

	#add(name: string, type: string, help: string, read: Read): void {
		const head = headOf(name, type, help);
		this.#families.push(
			() =>
				head +
				read()
					.map(([labels, value]) => `${name}${braced(labelText(labels))} ${numberText(value)}\n`)
					.join(''),
		);
	}
}

/** What stands before the numbers of one series. */
interface LineHeads {
	buckets: string[];
	sum: string;
	count: string;
}

/** Most of a scrape is lines of histograms, and most of a line never changes: that part is made once for each series. */
class HistogramFamily {
	readonly #options: HistogramOptions;
	readonly #head: string;
	#heads = new Map<string, LineHeads>();

	constructor(options: HistogramOptions) {
		this.#options = options;
		this.#head = headOf(options.name, 'histogram', options.help);
	}

	render(): string {
		const heads = new Map<string, LineHeads>();
		let text = this.#head;
		for (const { labels, counts } of this.#options.read()) {
			const key = labelText(labels);
			const known = this.#heads.get(key) ?? this.#headsOf(key, counts.bounds);
			heads.set(key, known);
			text += this.#lines(known, counts);
		}
		this.#heads = heads;
		return text;
	}

	#headsOf(labels: string, bounds: readonly number[]): LineHeads {
		const { name, scale } = this.#options;
		const before = labels === '' ? '' : `${labels},`;
		// Scaling 20 by 1e-6 gives 0.000019999999999999998.
		const texts = [...bounds.map((bound) => String(Number((bound * scale).toPrecision(12)))), '+Inf'];
		return {
			buckets: texts.map((le) => `${name}_bucket{${before}le="${le}"} `),
			sum: `${name}_sum${braced(labels)} `,
			count: `${name}_count${braced(labels)} `,
		};
	}

	/** The engine's counts lie side by side; Prometheus wants each bucket to hold everything below it as well. */
	#lines(heads: LineHeads, { counts, sum }: Histogram): string {
		let text = '';
		let total = 0;
		for (const [at, head] of heads.buckets.entries()) {
			total += counts[at] as number;
			text += `${head}${total}\n`;
		}
		return `${text}${heads.sum}${numberText(sum * this.#options.scale)}\n${heads.count}${total}\n`;
	}
}

const headOf = (name: string, type: string, help: string): string => `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

function labelText(labels: Labels): string {
	return Object.entries(labels)
		.map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`)
		.join(',');
}

/** Only what the format reserves, and rarely there. */
const escaped = (text: string): string => (/[\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : text);

function numberText(value: number): string {
	if (Number.isFinite(value)) return String(value);
	return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
