/** A client that is closed when its test is over. */
import { onTestFinished } from 'vitest';
import { type ClientOptions, RankdClient } from '../../src/client/index.js';

export function newClient(url: string | readonly string[], options: ClientOptions = {}): RankdClient {
	const client = new RankdClient(url, options);
	onTestFinished(() => client.close());
	return client;
}
