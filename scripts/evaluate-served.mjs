/** Asks a running server for every held-out user of a bundle, as any client would, and compares with what the bundle's card promises. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { unpack } from 'msgpackr';
import { RankdClient } from '../dist/client/index.js';
import { inRoot } from './setup/paths.mjs';

const TOLERANCE = 0.002;
const K = 10;
const IN_FLIGHT = 32;

const usage = `usage: npm run evaluate:served [-- --bundle models/packages/1.0.0] [--url ws://127.0.0.1:8000/rpc]
Without --url it starts a server of its own on a free port. Exit code 1 when HR@${K} or NDCG@${K} differs from the card by more than ${TOLERANCE}.`;

const { values: options } = parseArgs({
	options: {
		bundle: { type: 'string', default: inRoot('models', 'packages', '1.0.0') },
		url: { type: 'string' },
		help: { type: 'boolean' },
	},
});
async function evaluate(bundle, url) {
	const { name, version } = readJson(bundle, 'manifest.json');
	const promised = readJson(bundle, 'metrics.json').served;
	const heldOut = byUser(unpack(readFileSync(`${bundle}/heldout.msgpack`)));
	const server = url ? undefined : await startServer();
	const client = new RankdClient(url ?? server.url);
	const start = performance.now();
	try {
		const places = await placesOf(client, `${name}@${version}`, heldOut);
		const seconds = ((performance.now() - start) / 1000).toFixed(1);
		console.log(`${name}@${version}: ${heldOut.length} held-out users asked through RPC in ${seconds} s`);
		return report({ [`hr@${K}`]: mean(places, hit), [`ndcg@${K}`]: mean(places, gain) }, promised);
	} finally {
		await client.close();
		server?.stop();
	}
}

function readJson(bundle, file) {
	return JSON.parse(readFileSync(`${bundle}/${file}`, 'utf8'));
}

/** @returns [[user, held-out items], …] of the pairs [[user, item], …] */
function byUser(pairs) {
	const items = new Map();
	for (const [user, item] of pairs) items.set(user, [...(items.get(user) ?? []), item]);
	return [...items];
}

/** For each user the places of the held-out items in the answer, -1 for what is not there. */
async function placesOf(client, target, heldOut) {
	const places = new Array(heldOut.length);
	let next = 0;
	const ask = async () => {
		while (next < heldOut.length) {
			const at = next++;
			const [user, wanted] = heldOut[at];
			const { items } = await client.recommend(target, { user, k: K });
			places[at] = wanted.map((item) => items.findIndex(({ id }) => id === item));
		}
	};
	await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
	return places;
}

const hit = (places) => (places.some((place) => place >= 0) ? 1 : 0);
/** NDCG with gains of one (Järvelin and Kekäläinen 2002). */
const gain = (places) => {
	const found = places.filter((place) => place >= 0);
	return discounted(found) / discounted([...places.keys()].slice(0, K));
};
const discounted = (places) => places.reduce((sum, place) => sum + 1 / Math.log2(place + 2), 0);
const mean = (places, value) => places.reduce((sum, each) => sum + value(each), 0) / places.length;

/** @returns the exit code */
function report(measured, promised) {
	let differs = false;
	console.log(`${''.padEnd(10)}${'served'.padStart(10)}${'card'.padStart(10)}${'difference'.padStart(12)}`);
	for (const [name, value] of Object.entries(measured)) {
		const card = promised?.[name];
		if (typeof card !== 'number') throw new Error(`metrics.json promises no served "${name}"`);
		const difference = value - card;
		differs ||= Math.abs(difference) > TOLERANCE;
		const cells = [value.toFixed(4).padStart(10), card.toFixed(4).padStart(10), difference.toFixed(4).padStart(12)];
		console.log(name.padEnd(10) + cells.join(''));
	}
	console.log(differs ? `differs by more than ${TOLERANCE}` : `within ${TOLERANCE}`);
	return differs ? 1 : 0;
}

/** The server of this checkout on a free port, read from the line it greets with. */
async function startServer() {
	const anyPort = ['--host', '127.0.0.1', '--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];
	const server = spawn(process.execPath, [inRoot('dist', 'cli.js'), 'serve', ...anyPort], {
		cwd: inRoot(),
		env: { ...process.env, RANKD_LOG_LEVEL: 'warn' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const port = await new Promise((found, reject) => {
		let said = '';
		server.stdout.setEncoding('utf8').on('data', (text) => {
			said += text;
			const listening = said.match(/listening on http:\/\/\S+:(\d+)/);
			if (listening) found(listening[1]);
		});
		server.once('exit', (code) => reject(new Error(`the server ended with exit code ${code} before it listened`)));
	});
	return { url: `ws://127.0.0.1:${port}/rpc`, stop: () => server.kill() };
}

if (options.help) console.log(usage);
else process.exitCode = await evaluate(resolve(options.bundle), options.url);
