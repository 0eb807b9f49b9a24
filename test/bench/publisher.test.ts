/** Bundles that are published as operators do it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '../../bench/harness/paths.js';
import { Publisher } from '../../bench/harness/publisher.js';
import { administer, call, startRankd } from '../../bench/harness/rankd.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { withSession } from './support/run-session.js';

const bundle = inRoot('test', 'fixtures', 'models', 'scorer', '1.0.0');

test('the newest version is the only one and the champion, whole and under its new name', () => {
	const publisher = new Publisher(`${temporaryFolder()}/repository`, 'another');
	expect([publisher.publish(bundle), publisher.publish(bundle)]).toEqual(['1.0.1', '1.0.2']);
	const folder = `${publisher.repository}/another`;
	expect(readdirSync(folder).sort()).toEqual(['1.0.2', 'aliases.json']);
	expect(JSON.parse(readFileSync(`${folder}/aliases.json`, 'utf8'))).toEqual({ champion: '1.0.2' });
	expect(JSON.parse(readFileSync(`${folder}/1.0.2/manifest.json`, 'utf8'))).toMatchObject({ name: 'another', version: '1.0.2' });
	expect(readdirSync(`${folder}/1.0.2`).sort()).toEqual(readdirSync(bundle).sort());
});

test('a server that is asked to follow serves it', { timeout: 60_000 }, () =>
	withSession(async (session) => {
		const publisher = new Publisher(`${session.folder}/repository`, 'scorer');
		publisher.publish(bundle);
		const server = await startRankd(session, { repositories: [publisher.repository], flags: ['--model-control', 'explicit'] });
		const version = publisher.publish(bundle);
		await administer(server, '/v1/repository/sync');
		const served = JSON.parse((await call(`${server.base}/v1/models`)).text) as { models: { version: string }[] };
		expect(served.models.map((model) => model.version)).toEqual([version]);
		await expect(administer(server, '/v1/models/none/load')).rejects.toThrow('POST /v1/models/none/load was answered with 404');
		expect(existsSync(`${publisher.repository}/scorer/.incoming`)).toBe(false);
	}),
);
