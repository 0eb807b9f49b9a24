/** Triton's flags: each is taken, told to do nothing, or refused with a reason; none is dropped in silence. */
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addConfigOptions } from '../../src/cli/config-options.js';
import { addTritonOptions, translatedFlags } from '../../src/cli/triton-options.js';
import { flagName, keyNames } from '../../src/config/keys.js';
import { loadConfig } from '../../src/config/load-config.js';
import { translateTritonFlags } from '../../src/config/translate-triton-flags.js';
import { tritonFlags } from '../../src/config/triton-flags.js';

/** A command line through commander, translation and checks, as `rankd serve` does it. */
function configOf(...args: string[]) {
	let result: { config: ReturnType<typeof loadConfig>; warnings: string[] } | undefined;
	const command = addTritonOptions(addConfigOptions(new Command('serve'))).exitOverride();
	command.action((read) => {
		const { keys, warnings } = translatedFlags(read);
		result = { config: loadConfig({ flags: keys }), warnings };
	});
	command.parse(args, { from: 'user' });
	return result as NonNullable<typeof result>;
}

describe('what means the same', () => {
	test.each([
		[['--model-control-mode', 'explicit'], { modelControl: 'explicit' }],
		[['--model-control-mode=poll', '--repository-poll-secs=3'], { modelControl: 'poll', pollIntervalS: 3 }],
		[['--load-model=a', '--load-model', 'b'], { loadModel: ['a', 'b'] }],
		[['--http-address', '127.0.0.1', '--grpc-address', '127.0.0.1'], { host: '127.0.0.1' }],
		[['--http-thread-count=2'], { ioThreads: 2 }],
		[['--exit-timeout-secs=30'], { drainTimeoutMs: 30_000 }],
		[['--strict-readiness'], { strictReadiness: true }],
		[['--strict-readiness=0', '--exit-on-error', '1'], { strictReadiness: false, exitOnError: true }],
		[['--allow-grpc=false', '--allow-metrics', 'false'], { allowGrpc: false, allowMetrics: false, allowHttp: true }],
		[['--disable-auto-complete-config'], { autoCompleteConfig: false }],
		[['--strict-model-config=false'], { autoCompleteConfig: true }],
		[['--backend-config=onnxruntime,default-max-batch-size=16'], { defaultMaxBatchSize: 16 }],
		[['--backend-config=,default-max-batch-size=16'], { defaultMaxBatchSize: 16 }],
		[['--cache-config=local,size=1048577'], { responseCacheMib: 2 }],
		[['--response-cache-byte-size=1'], { responseCacheMib: 1 }],
		[['--log-verbose=1'], { logLevel: 'debug' }],
		[['--log-verbose=3', '--log-info=false'], { logLevel: 'trace' }],
		[['--log-info=false'], { logLevel: 'warn' }],
		[['--log-info=false', '--log-warning=false'], { logLevel: 'error' }],
		[['--log-error=false'], { logLevel: 'silent' }],
		[['--log-verbose=0', '--log-info=true'], { logLevel: 'info' }],
		[['--log-format=ISO8601'], { logFormat: 'text' }],
		[['--allow-client-shm=false', '--rate-limit=off'], {}],
		[
			['--http-restricted-api=model-repository,logging:admin=x:y=z', '--http-restricted-api', 'health:h=v'],
			{
				httpRestrictedApi: [
					{ groups: ['model-repository', 'logging'], header: 'admin', value: 'x:y=z' },
					{ groups: ['health'], header: 'h', value: 'v' },
				],
			},
		],
	])('%j is %j', (args, expected) => {
		const { config, warnings } = configOf(...args);
		expect(config).toMatchObject(expected);
		expect(warnings).toEqual([]);
	});
});

describe('what is harmless', () => {
	test.each(['--metrics-interval-ms=500', '--backend-directory=/opt', '--backend-config=python,shm-default-byte-size=1'])(
		'%s is told to do nothing',
		(flag) => {
			const { config, warnings } = configOf(flag);
			expect(config).toEqual(configOf().config);
			expect(warnings).toEqual([expect.stringContaining('does nothing')]);
		},
	);
});

describe('what is refused', () => {
	test.each([
		[['--allow-client-shm=true'], 'shared memory'],
		[['--reuse-http-port'], 'io_threads'],
		[['--log-file=x'], 'stderr'],
		[['--http-header-forward-pattern=.*'], 'no model reads headers'],
		[['--exit-timeout-secs=soon'], 'whole number'],
		[['--log-verbose=very'], 'whole number'],
		[['--backend-config=onnxruntime,threads=2'], 'config.pbtxt'],
		[['--cache-config=redis,host=x'], 'local,size=<bytes>'],
		[['--cache-config=local,size=big'], 'whole number of bytes'],
		[['--http-address=a', '--grpc-address=b'], '--http-address says that host is a, and there is one host'],
		[['--http-address=a', '--host=b'], 'two things about host: b and a'],
		[['--model-control-mode=sometimes'], 'model_control must be watch, poll, explicit or none'],
		[['--http-restricted-api=everything:k=v'], 'groups of health'],
		[['--http-restricted-api=health'], '<group>,…:<header>=<value>'],
		[['--http-restricted-api=health:a=b', '--http-restricted-api=health:c=d'], 'each once'],
	])('%j', (args, words) => {
		expect(() => configOf(...args)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining(words) }));
	});
});

test('no flag of theirs is one of ours', () => {
	const ours = new Set(keyNames.map(flagName));
	expect(tritonFlags.filter(({ name }) => ours.has(`--${name}`))).toEqual([]);
});

test.each(tritonFlags.map(({ name }) => name))('--%s is never dropped in silence', (name) => {
	const outcome = (value: string) => {
		try {
			return translateTritonFlags(new Map([[name, [value]]]));
		} catch (error) {
			return { error };
		}
	};
	const nothing = JSON.stringify({ keys: {}, warnings: [] });
	expect(['true', 'false', '1'].map(outcome).some((each) => JSON.stringify(each) !== nothing)).toBe(true);
});
