/** A strict reader of Prometheus text: anything it does not know fails the test. */
const series = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})?) ([-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|Nan|NaN)$/;

/** @returns value by `name{labels}` */
export function parseMetrics(text: string): Map<string, number> {
	const values = new Map<string, number>();
	for (const line of text.split('\n')) {
		if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
		const [, name, value] = line.match(series) ?? [];
		if (name === undefined || value === undefined) throw new Error(`no Prometheus line: ${line}`);
		if (values.has(name)) throw new Error(`twice in one scrape: ${name}`);
		values.set(name, Number(value.replace('Inf', 'Infinity')));
	}
	return values;
}
