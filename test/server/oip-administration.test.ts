/** Repository, configuration and log under /v2, in front of a fake repository: what it is asked, and what callers see. */
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/errors.js';
import { http, post } from '../support/http-request.js';
import { withFakeServer } from '../support/with-fake-server.js';

const index = '/v2/repository/index';

describe('the index', () => {
	test.each([
		['', false],
		['{}', false],
		['{"ready":true}', true],
		['{"ready":false,"more":1}', false],
	])('is asked with %j', (body, ready) =>
		withFakeServer(async ({ repository, base }) => {
			const answer = await post(base + index, body);
			expect(answer).toMatchObject({ status: 200 });
			expect(answer.json()).toEqual(repository.entries);
			expect(repository.calls).toEqual([['index', { ready }]]);
		}),
	);

	const deep = `{"ready":${'['.repeat(250_000)}${']'.repeat(250_000)}}`;

	test.each([
		['another type', '{"ready":"yes"}', "Invalid value for 'ready': expected a boolean"],
		['250,000 lists in each other', deep, "Invalid value for 'ready': expected a boolean"],
		['no JSON', '{"ready":', 'the body is not JSON'],
		['no map', '[]', 'the body'],
	])('refuses %s with 400, and the server lives', (_, body, words) =>
		withFakeServer(async ({ base }) => {
			const answer = await post(base + index, body);
			expect(answer.status).toBe(400);
			expect(answer.json()['error']).toContain(words);
			expect((await post(base + index, '')).status).toBe(200);
		}),
	);

	test('takes no body of any size', () =>
		withFakeServer(async ({ base }) => {
			expect(await post(base + index, Buffer.alloc(2_000_000, ' '))).toMatchObject({ status: 413 });
		}));
});

describe('load and unload', () => {
	const load = '/v2/repository/models/two%20words/load';

	test.each([
		['', { files: {} }],
		['{}', { files: {} }],
		['{"parameters":{}}', { files: {} }],
		['{"parameters":{"config":"{}"}}', { config: '{}', files: {} }],
		[
			'{"parameters":{"config":"{\\"a\\":\\"}]\\"}","file:1/model.onnx":"AQID","file:empty":""}}',
			{ config: '{"a":"}]"}', files: { '1/model.onnx': Buffer.of(1, 2, 3), empty: Buffer.alloc(0) } },
		],
	])('a load with %j', (body, parameters) =>
		withFakeServer(async ({ repository, base }) => {
			const answer = await post(base + load, body);
			expect(answer).toMatchObject({ status: 200 });
			expect(answer.json()).toEqual({ name: 'two words', load: true });
			expect(repository.calls).toEqual([['load', 'two words', parameters]]);
		}),
	);

	test('a load brings files that are larger than other bodies', () =>
		withFakeServer(async ({ repository, base }) => {
			const content = Buffer.alloc(3_000_000, 7);
			const body = JSON.stringify({ parameters: { config: '{}', 'file:1/model.onnx': content.toString('base64') } });
			expect((await post(base + load, body)).status).toBe(200);
			const [[, , { files }]] = repository.calls as [[string, string, { files: Record<string, Uint8Array> }]];
			expect(Buffer.from(files['1/model.onnx'] as Uint8Array).equals(content)).toBe(true);
		}));

	test.each([
		['a parameter that is none', '{"parameters":{"files":"x"}}', 400, '"files"'],
		['a file without a name', '{"parameters":{"file:":"x"}}', 400, '"file:"'],
		['no base64', '{"parameters":{"file:a":"!!"}}', 400, 'not base64'],
		['a configuration that is no text', '{"parameters":{"config":{}}}', 400, "'parameters.config': expected a string"],
		['no JSON', '{"parameters":', 400, 'not JSON'],
		['a million lists', `{"parameters":${'['.repeat(1_000_000)}`, 400, 'more than 10000 values'],
		['a text without an end', `{"parameters":"${'\\"'.repeat(100_000)}`, 400, 'not JSON'],
	])('a load with %s is refused', (_, body, status, words) =>
		withFakeServer(async ({ repository, base }) => {
			const answer = await post(base + load, body);
			expect(answer.status).toBe(status);
			expect(answer.json()['error']).toContain(words);
			expect(repository.calls).toEqual([]);
		}),
	);

	test.each([
		['', false],
		['{"parameters":{"unload_dependents":true}}', true],
	])('an unload with %j', (body, unloadDependents) =>
		withFakeServer(async ({ repository, base }) => {
			const answer = await post(`${base}/v2/repository/models/simple/unload`, body);
			expect(answer.json()).toEqual({ name: 'simple', unload: true });
			expect(repository.calls).toEqual([['unload', 'simple', { unloadDependents }]]);
		}),
	);

	test('what the repository refuses has its status', () =>
		withFakeServer(async ({ repository, base }) => {
			repository.refusal = new EngineError('NOT_ALLOWED', 'explicit model load / unload is not allowed if polling is enabled');
			for (const call of ['load', 'unload']) {
				const answer = await post(`${base}/v2/repository/models/simple/${call}`, '{}');
				expect(answer.status).toBe(503);
				expect(answer.json()).toMatchObject({ error: repository.refusal.message, code: 'NOT_ALLOWED' });
			}
		}));

	test.each(['index', 'models/simple/load', 'models/simple/unload'])('one repository of several cannot be named: %s', (path) =>
		withFakeServer(async ({ base }) => {
			const answer = await post(`${base}/v2/repository/films/${path}`, '{}');
			expect(answer.status).toBe(501);
			expect(answer.json()['error']).toBe("'repository_name' specification is not supported");
		}),
	);
});

describe('the configuration', () => {
	test.each([
		['simple', ['simple', undefined]],
		['tiny/versions/1.0.0', ['tiny', '1.0.0']],
		['tiny%40champion', ['tiny', '1.0.0']],
	])('of %s', (path, asked) =>
		withFakeServer(async ({ repository, base }) => {
			const answer = await http(`${base}/v2/models/${path}/config`);
			expect(answer.json()).toMatchObject({ name: asked[0], max_batch_size: 8 });
			expect(repository.calls).toEqual([['config', ...asked]]);
		}),
	);

	test('of an unknown model is 404', () =>
		withFakeServer(async ({ repository, base }) => {
			repository.refusal = new EngineError('UNKNOWN_MODEL', "Request for unknown model: 'films' is not found");
			expect(await http(`${base}/v2/models/films/config`)).toMatchObject({ status: 404 });
		}));
});

describe('the log', () => {
	const logging = '/v2/logging';
	const atStart = {
		log_file: '',
		log_info: true,
		log_warning: true,
		log_error: true,
		log_verbose_level: 0,
		log_format: 'default',
	};

	test('is told and changed; what was not named stays', () =>
		withFakeServer(async ({ base }) => {
			expect((await http(base + logging)).json()).toEqual(atStart);
			const changed = { ...atStart, log_info: false, log_verbose_level: 1 };
			expect((await post(base + logging, '{"log_info":false,"log_verbose_level":1}')).json()).toEqual(changed);
			expect((await http(base + logging)).json()).toEqual(changed);
			expect((await post(base + logging, JSON.stringify(changed))).json()).toEqual(changed);
		}));

	test('writes what it is set to from then on', () =>
		withFakeServer(async ({ engine, base, logLines }) => {
			engine.answer = () => ({ code: 'INTERNAL', body: { error: 'this is a bug', code: 'INTERNAL', request_id: null } });
			const fail = () => post(`${base}/v1/recommend/tiny`, '{}');
			await post(base + logging, '{"log_error":false}');
			await fail();
			expect(logLines).toEqual([]);
			await post(base + logging, '{"log_error":true}');
			await fail();
			expect(logLines).toHaveLength(1);
		}));

	test.each([
		['{"log_file":"/tmp/x"}', 501, 'log file location can not be updated through network protocol'],
		['{"log_format":"ISO8601"}', 501, '--log-format'],
		['{"log_info":"yes"}', 400, "'log_info'"],
		['{"log_verbose_level":-1}', 400, "'log_verbose_level'"],
		['{"log_warnings":true}', 400, 'log_warnings'],
	])('%s is refused', (body, status, words) =>
		withFakeServer(async ({ base }) => {
			const answer = await post(base + logging, body);
			expect(answer.status).toBe(status);
			expect(answer.json()['error']).toContain(words);
			expect((await http(base + logging)).json()).toEqual(atStart);
		}),
	);
});
