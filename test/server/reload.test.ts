/** Bundles come and go under a server that is being asked: real folders, real processes, no failed request. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RankdClient } from '../../src/client/index.js';
import { corrupt, disagree, FixtureRepository } from '../support/fixture-repository.js';
import { http } from '../support/http-request.js';
import { parseMetrics } from '../support/parse-metrics.js';
import { serve } from '../support/run-cli.js';

type Served = Awaited<ReturnType<typeof serveFixture>>;

async function serveFixture(...flags: string[]) {
	const repository = new FixtureRepository();
	const run = await serve(['--io-threads', '2', ...flags], repository.path);
	return { ...run, run, repository, admin: `http://127.0.0.1:${run.metricsPort}`, base: `http://127.0.0.1:${run.port}` };
}

interface ModelsPage {
	models: { version: string; aliases: string[]; load_ms: number }[];
	problems: { path: string; error: string; code: string }[];
}

const pageOf = async (base: string) => (await http(`${base}/v1/models`)).json() as unknown as ModelsPage;

/** Waits until the served versions, with the champion marked, are these. */
async function serves(server: Served, ...versions: string[]): Promise<void> {
	const read = async () =>
		(await pageOf(server.admin)).models.map(({ version, aliases }) => version + (aliases.includes('champion') ? '*' : ''));
	await vi.waitFor(async () => expect(await read()).toEqual(versions), { timeout: 10_000, interval: 5 });
}

const loadCount = async ({ admin }: Served) =>
	parseMetrics((await http(`${admin}/metrics`)).body.toString()).get('rankd_reloads_total{outcome="loaded"}') as number;

/** Asks over several connections, as fast as answers come, until told to stop. @returns versions by how often they answered */
function keepAsking({ port }: Served, target = 'tiny'): () => Promise<Map<string, number>> {
	const client = new RankdClient(`ws://127.0.0.1:${port}/rpc`, { connections: 8 });
	const answered = new Map<string, number>();
	let isOver = false;
	const ask = async () => {
		while (!isOver) {
			const { version } = await client.recommend(target, { user: 'user-1', k: 3 });
			answered.set(version, (answered.get(version) ?? 0) + 1);
		}
	};
	const asking = Promise.all(Array.from({ length: 16 }, ask));
	// A failure is met where the test waits for it.
	asking.catch(() => {});
	onTestFinished(() => client.close());
	return async () => {
		isOver = true;
		await asking;
		return answered;
	};
}

test('twenty publications, replacements and flips of the alias under load fail no request', async () => {
	const server = await serveFixture();
	const { repository } = server;
	const stop = keepAsking(server);
	for (let round = 1; round <= 4; round++) {
		const [before, version] = [`1.0.${round - 1}`, `1.0.${round}`];
		repository.publish(version);
		await serves(server, `${before}*`, version);
		repository.setAliases({ champion: version, last: before });
		await serves(server, before, `${version}*`);
		repository.setAliases({ champion: version });
		await serves(server, `${version}*`);
		for (const again of [1, 2]) {
			const loads = await loadCount(server);
			repository.publish(version);
			await vi.waitFor(async () => expect(await loadCount(server), `load ${again}`).toBe(loads + 1), { timeout: 10_000, interval: 5 });
		}
	}
	const answered = await stop();
	for (const version of ['1.0.0', '1.0.1', '1.0.2', '1.0.3', '1.0.4']) expect(answered.get(version)).toBeGreaterThan(0);
});

test.each([
	['a flipped byte', corrupt, 'BUNDLE_CHECKSUM_MISMATCH', 'item.table has sha256'],
	['golden answers it does not give', disagree, 'BUNDLE_GOLDEN_MISMATCH', 'expected 42'],
])('a bundle with %s leaves the old one serving, and says why everywhere', async (_, spoil, code, words) => {
	const server = await serveFixture('--strict-readiness');
	const stop = keepAsking(server);
	server.repository.publish('1.1.0', spoil);
	server.repository.setAliases({ champion: '1.1.0' });
	const problem = { path: server.repository.folder('1.1.0'), code, error: expect.stringContaining(words) };
	for (const base of [server.admin, server.base])
		await vi.waitFor(async () => expect((await pageOf(base)).problems).toEqual([problem]), { timeout: 10_000 });
	await serves(server, '1.0.0*');
	expect((await http(`${server.base}/v2/health/ready`)).json()).toMatchObject({
		ready: false,
		error: expect.stringContaining('1 of the repository'),
	});
	const metrics = parseMetrics((await http(`${server.admin}/metrics`)).body.toString());
	expect(metrics.get('rankd_reloads_total{outcome="failed"}')).toBe(1);
	expect(server.run.stderr.split('\n').filter((line) => line.includes(code))).toHaveLength(1);

	server.repository.publish('1.1.0');
	await serves(server, '1.1.0*');
	await vi.waitFor(async () => expect((await http(`${server.base}/v2/health/ready`)).status).toBe(200));
	expect([...(await stop()).keys()]).toEqual(['1.0.0', '1.1.0']);
});

test('a version keeps answering who asks for it by number until it is unloaded, and then says so', async () => {
	const server = await serveFixture();
	server.repository.publish('1.1.0');
	await serves(server, '1.0.0*', '1.1.0');
	const stop = keepAsking(server, 'tiny@1.0.0');
	server.repository.setAliases({ champion: '1.1.0' });
	await serves(server, '1.1.0*');
	await expect(stop()).rejects.toMatchObject({
		code: 'UNKNOWN_VERSION',
		message: "Request for unknown model: 'tiny' version 1.0.0 is not found; loaded: 1.1.0",
	});
});

test('SIGHUP and a post synchronise at once; explicit control waits for either', async () => {
	const server = await serveFixture('--model-control', 'explicit');
	server.repository.publish('1.1.0');
	server.run.child.kill('SIGHUP');
	await serves(server, '1.0.0*', '1.1.0');
	server.repository.setAliases({ champion: '1.1.0' });
	const answer = await http(`${server.admin}/v1/repository/sync`, { method: 'POST' });
	expect(answer.json()).toEqual({
		loaded: [],
		unloaded: [{ name: 'tiny', version: '1.0.0' }],
		aliases: { tiny: { champion: '1.1.0' } },
		problems: [],
	});
	await serves(server, '1.1.0*');
});

test('explicit control loads, routes and unloads over the metrics port', async () => {
	const server = await serveFixture('--model-control', 'explicit');
	const call = async (method: string, path: string, body: unknown = {}) => {
		const { status, ...answer } = await http(`${server.admin}/v1/models/${path}`, { method, body: JSON.stringify(body) });
		return { status, ...answer.json() };
	};
	server.repository.publish('1.1.0');
	expect(await call('POST', 'tiny/load')).toMatchObject({ status: 200, name: 'tiny', version: '1.1.0', golden_passed: expect.any(Number) });
	expect(await call('PUT', 'tiny/aliases', { champion: '1.1.0' })).toEqual({ status: 200, name: 'tiny', aliases: { champion: '1.1.0' } });
	expect(await call('POST', 'tiny/unload', { version: '1.0.0' })).toEqual({ status: 200, name: 'tiny', version: '1.0.0' });
	await serves(server, '1.1.0*');

	server.repository.publish('1.2.0', corrupt);
	for (const [method, path, body, expected] of [
		['POST', 'tiny/load', {}, { status: 500, code: 'BUNDLE_CHECKSUM_MISMATCH' }],
		['POST', 'tiny/load', { version: '7.0.0' }, { status: 404, code: 'UNKNOWN_VERSION' }],
		['POST', 'films/load', {}, { status: 404, code: 'UNKNOWN_MODEL' }],
		['POST', '%E0%A4%A/load', {}, { status: 400, code: 'INVALID_ARGUMENT' }],
		['POST', 'tiny/unload', {}, { status: 400, code: 'INVALID_ARGUMENT', error: expect.stringContaining('version') }],
		['POST', 'tiny/unload', { version: 'one' }, { status: 400, error: 'version: must be a version such as "1.2.0" or "3"' }],
		['POST', 'tiny/unload', { version: '1' }, { status: 404, code: 'UNKNOWN_VERSION' }],
		['PUT', 'tiny/aliases', { champion: '1.0.0' }, { status: 404, code: 'UNKNOWN_VERSION' }],
		['PUT', 'tiny/aliases', { 'a@b': '1.1.0' }, { status: 400, code: 'INVALID_ARGUMENT' }],
		['GET', 'tiny/load', {}, { status: 405, code: 'METHOD_NOT_ALLOWED' }],
	] as const)
		expect(await call(method, path, body), `${method} ${path}`).toMatchObject(expected);
	const broken = await http(`${server.admin}/v1/models/tiny/load`, { method: 'POST', body: '{' });
	expect(broken.json()).toMatchObject({ code: 'INVALID_BODY' });
	const large = await http(`${server.admin}/v1/models/tiny/load`, { method: 'POST', body: ' '.repeat(70_000) });
	expect(large.json()).toMatchObject({ code: 'TOO_LARGE' });
	await serves(server, '1.1.0*');
});

test('where the folder decides, posts that would contradict it are refused, and I/O threads take none at all', async () => {
	const server = await serveFixture();
	const refused = await http(`${server.admin}/v1/models/tiny/unload`, { method: 'POST', body: '{"version": "1.0.0"}' });
	expect(refused.json()).toMatchObject({
		code: 'NOT_ALLOWED',
		error: "model_control is watch: the repository's folder decides what serves",
	});
	for (const path of ['/v1/repository/sync', '/v1/models/tiny/load']) {
		const elsewhere = await http(server.base + path, { method: 'POST' });
		expect(elsewhere.json()).toMatchObject({ code: 'NOT_FOUND', error: 'models are changed over metrics_port alone' });
	}
});

test('the server stops in order while the repository changes', async () => {
	const server = await serveFixture();
	server.repository.publish('1.1.0');
	writeFileSync(join(server.repository.path, 'tiny/aliases.json'), '{');
	server.run.child.kill('SIGTERM');
	expect(await server.run.finished()).toBe(0);
	expect(server.run.stderr).not.toContain('ENGINE_CLOSED');
});
