/** `rankd recommend`: one request over RPC, for a look at a model without writing a client. */
import { Command, InvalidArgumentError } from 'commander';
import { RankdClient, type RecommendRequest } from '../client/index.js';
import { table } from './table.js';

interface RecommendOptions {
	url: string;
	history?: string[];
	user?: string;
	k: number;
	deadlineMs: number;
	json?: boolean;
}

const list = (value: string): string[] =>
	value
		.split(',')
		.map((id) => id.trim())
		.filter((id) => id !== '');

function wholeNumber(value: string): number {
	if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('it must be a whole number.');
	return Number(value);
}

export function recommendCommand(): Command {
	return new Command('recommend')
		.description('ask a server for recommendations')
		.argument('<pipeline>', 'name, name@alias or name@version of a model')
		.option('--history <ids>', 'ids separated by commas, oldest first', list)
		.option('--user <id>', 'a known user')
		.option('-k <number>', 'how many items', wholeNumber, 10)
		.option('--deadline-ms <number>', 'how long to wait', wholeNumber, 5000)
		.option('--url <url>', 'the server to ask', 'ws://127.0.0.1:8000/rpc')
		.option('--json', 'the whole answer as one JSON object')
		.action(recommend);
}

async function recommend(pipeline: string, { url, history, user, k, deadlineMs, json }: RecommendOptions): Promise<void> {
	const client = new RankdClient(url, { connections: 1, deadlineMs });
	const request: RecommendRequest = { k };
	if (history) request.history = history;
	if (user !== undefined) request.user = user;
	try {
		const answer = await client.recommend(pipeline, request);
		if (json) return console.log(JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
		const rows = answer.items.map(({ id, score, source }, at) => [at + 1, String(id), Number(score.toFixed(4)), source ?? '']);
		console.log(table(['#', 'item', 'score', 'source'], rows));
		const notes = answer.degraded.length > 0 ? `, degraded: ${answer.degraded.join(', ')}` : '';
		console.log(`${answer.model}@${answer.version}, ${answer.timing.totalUs} µs${notes}`);
	} finally {
		await client.close();
	}
}
