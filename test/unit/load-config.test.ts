/** Configuration: who wins, what is refused, and what the message says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { grantedCpus } from '../../src/config/granted-cpus.js';
import { environmentName, flagName, keyNames, keys } from '../../src/config/keys.js';
import { loadConfig } from '../../src/config/load-config.js';
import { EngineError } from '../../src/errors.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const file = (content: string) => join(temporaryFolder({ 'rankd.yaml': content }), 'rankd.yaml');

function refusal(load: () => unknown): EngineError {
	try {
		load();
	} catch (error) {
		expect(error).toBeInstanceOf(EngineError);
		return error as EngineError;
	}
	throw new Error('nothing was refused');
}

describe('precedence', () => {
	const path = () => file('http_port: 1\nqueue_capacity: 11\nhost: "::"\n');
	const environment = { RANKD_HTTP_PORT: '2', RANKD_QUEUE_CAPACITY: '22' };

	test('flag over environment over file over default', () => {
		const config = loadConfig({ flags: { httpPort: '3' }, environment, file: path() });
		expect(config).toMatchObject({ httpPort: 3, queueCapacity: 22, host: '::', logLevel: 'info' });
	});

	test('RANKD_CONFIG names the file when no flag does', () => {
		expect(loadConfig({ environment: { RANKD_CONFIG: path() } }).queueCapacity).toBe(11);
	});

	test('a JSON file is a YAML file', () => {
		expect(loadConfig({ file: file('{"http_port": 9, "strict_readiness": true}') })).toMatchObject({ httpPort: 9, strictReadiness: true });
	});

	test('an empty file changes nothing', () => {
		expect(loadConfig({ file: file('') })).toEqual(loadConfig());
	});
});

describe('values', () => {
	test('the environment brings text, which is read as what the key is', () => {
		const environment = { RANKD_EXIT_ON_ERROR: 'true', RANKD_MODEL_REPOSITORY: '/a:/b', RANKD_FLUSH_BUDGET_US: ' 2000 ' };
		expect(loadConfig({ environment })).toMatchObject({ exitOnError: true, modelRepository: ['/a', '/b'], flushBudgetUs: 2000 });
	});

	test('compute threads are what the I/O threads leave, and at least one', () => {
		const { ioThreads, computeThreads } = loadConfig({ flags: { ioThreads: 200 } });
		expect([ioThreads, computeThreads]).toEqual([200, 1]);
		expect(loadConfig({ flags: { ioThreads: 1 } }).computeThreads).toBe(Math.max(1, grantedCpus() - 1));
	});

	test('models have bounds by name, from a file or as JSON text', () => {
		const models = { ranker: { slo: { p99_ms: 20 }, max_batch_us: 700 } };
		expect(loadConfig({ file: file('models:\n  ranker:\n    slo: {p99_ms: 20}\n    max_batch_us: 700\n') }).models).toEqual(models);
		expect(loadConfig({ environment: { RANKD_MODELS: JSON.stringify(models) } }).models).toEqual(models);
		for (const wrong of ['{"ranker": {"slo": 20}}', '{"ranker": {"max_batch": 3}}', 'ranker'])
			expect(refusal(() => loadConfig({ flags: { models: wrong } })).message).toMatch(/^models must be a map such as/);
	});

	test('the result cannot be changed', () => {
		expect(Object.isFrozen(loadConfig())).toBe(true);
	});

	test.each(keyNames)('the default of %s is allowed', (name) => {
		expect(keys[name].schema.safeParse(keys[name].fallback({ io_threads: 2 })).success).toBe(true);
	});
});

describe('refusals', () => {
	test('a value out of range names key, range, value and origin', () => {
		const error = refusal(() => loadConfig({ environment: { RANKD_HTTP_PORT: '80x' } }));
		expect(error.code).toBe('INVALID_CONFIG');
		expect(error.message).toBe('http_port must be a whole number from 0 to 65535, got "80x" (environment RANKD_HTTP_PORT)');
	});

	test.each([
		['http_port: 65536', 'http_port must be a whole number from 0 to 65535, got 65536'],
		['http_port: 1.5', 'got 1.5'],
		['http_port: null', 'got null'],
		['log_level: loud', 'log_level must be trace, debug, info, warn, error or silent, got "loud"'],
		['strict_readiness: "yes"', 'strict_readiness must be true or false'],
		['model_repository: []', 'model_repository must be a folder or a list of folders'],
		['host: ""', 'host must be text that is not empty'],
	])('the file says %j', (content, message) => {
		const path = file(content);
		const error = refusal(() => loadConfig({ file: path }));
		expect(error.message).toContain(message);
		expect(error.message).toContain(`(${path})`);
	});

	test('an unknown key of the file gets a suggestion', () => {
		expect(refusal(() => loadConfig({ file: file('htpp_port: 1') })).message).toMatch(
			/unknown key "htpp_port" in .*rankd\.yaml\. Did you mean "http_port"\?$/,
		);
	});

	test('a key like no other is answered with all there are', () => {
		expect(refusal(() => loadConfig({ file: file('banana: 1') })).message).toContain('Known keys are id, model_repository, model_control');
	});

	test('an unknown flag is refused', () => {
		expect(refusal(() => loadConfig({ flags: { 'http-prt': 1 } })).message).toContain('unknown key "http_prt" in the flags. Did you mean');
	});

	test('a slip in an environment variable is seen', () => {
		const error = refusal(() => loadConfig({ environment: { RANKD_HTTP_PROT: '1' } }));
		expect(error.message).toBe('unknown environment variable RANKD_HTTP_PROT. Did you mean "RANKD_HTTP_PORT"?');
	});

	test('variables that an orchestrator sets for a service named rankd are left alone', () => {
		const environment = { RANKD_PORT: 'tcp://10.0.0.1:8000', RANKD_SERVICE_HOST: '10.0.0.1', RANKD_ISA: 'avx2' };
		expect(loadConfig({ environment })).toEqual(loadConfig());
	});

	test.each([
		['- a\n- b', 'must hold a map of keys'],
		['http_port: [', 'cannot be read'],
	])('a file that is no map: %j', (content, message) => {
		expect(refusal(() => loadConfig({ file: file(content) })).message).toContain(message);
	});

	test('a file that is not there is named', () => {
		expect(refusal(() => loadConfig({ file: '/no/such.yaml' })).message).toMatch(
			/the configuration file \/no\/such\.yaml cannot be read: ENOENT/,
		);
	});
});

test('docs/operations.md lists every key with its flag, variable and default', () => {
	const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
	for (const name of keyNames) {
		expect(docs).toContain(`| \`${name}\` | \`${flagName(name)}\` | \`${environmentName(name)}\` | ${keys[name].shown} |`);
	}
});
