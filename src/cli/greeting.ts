/** The one thing a person wants to see: where it listens, and a line to paste. */
import type { ModelInfo } from '../native/addon.js';
import type { Addresses } from '../server/addresses.js';

export function greeting({ host, httpPort, grpcPort, metricsPort, unixSockets }: Addresses, models: readonly ModelInfo[]): string {
	const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
	const here = `http://${name}`;
	const base = `${here}:${httpPort}`;
	const names = models.map(({ name, version }) => `${name}@${version}`).join(', ') || 'no models yet';
	const example = models.map((model) => exampleCall(base, model)).find((line) => line !== undefined);
	return [
		`rankd listening${httpPort === undefined ? '' : ` on ${base}`} (${names})`,
		...unixSockets.map((path) => `and on ${path}`),
		...(grpcPort === undefined ? [] : [`gRPC on ${name}:${grpcPort}`]),
		...(metricsPort === undefined ? [] : [`metrics on ${here}:${metricsPort}/metrics`]),
		...(example === undefined || httpPort === undefined ? [] : [`try: ${example}`]),
	].join('\n');
}

function exampleCall(base: string, { name, operations }: ModelInfo): string | undefined {
	if (!operations.includes('recommend')) return undefined;
	const history = name === 'packages' ? '"history":["cmake","libboost-dev","libfmt-dev"],' : '';
	return `curl -s ${base}/v1/recommend/${encodeURIComponent(name)} -d '{${history}"k":5}'`;
}
