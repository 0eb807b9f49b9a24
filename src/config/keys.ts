/** Every configuration key: what it means, what it may be, and what it is when nobody says. */
import { z } from 'zod';
import { grantedCpus } from './granted-cpus.js';
import { type RestrictedApi, restrictedApis } from './restricted-api.js';

/** Values by name in snake_case. */
export type Earlier = Readonly<Record<string, unknown>>;

export interface Key<T> {
	readonly schema: z.ZodType<T>;
	/** What is accepted, as the end of the sentence "http_port must be …". */
	readonly allowed: string;
	/** @param earlier the values of the keys that stand before this one */
	readonly fallback: (earlier: Earlier) => T;
	/** How `--help` writes the default. */
	readonly shown: string;
	readonly help: string;
	/** Whether its flag may be given several times. */
	readonly isList?: boolean;
}

/** Flags and environment bring text: a number arrives as its digits. */
function whole(from: number, to: number): Pick<Key<number>, 'schema' | 'allowed'> {
	const digits = (raw: unknown) => (typeof raw === 'string' && /^\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw);
	return { schema: z.preprocess(digits, z.int().min(from).max(to)), allowed: `a whole number from ${from} to ${to}` };
}

const text = { schema: z.string().trim().min(1).max(4096), allowed: 'text that is not empty' };

/** Triton's flags take digits as well. */
const switchWords = new Map<unknown, boolean>([
	['true', true],
	['1', true],
	['false', false],
	['0', false],
]);

const yesOrNo = {
	schema: z.preprocess((raw) => switchWords.get(raw) ?? raw, z.boolean()),
	allowed: 'true or false',
};

/** `default` and `ISO8601` are Triton's words, for lines of text. */
const logFormat: Pick<Key<'json' | 'text'>, 'schema' | 'allowed'> = {
	schema: z.preprocess((raw) => (raw === 'default' || raw === 'ISO8601' ? 'text' : raw), z.enum(['json', 'text'])),
	allowed: 'json or text',
};

/** A list of folders; the environment separates them by `:` as PATH does. */
const folders = {
	schema: z.preprocess((raw) => (typeof raw === 'string' ? raw.split(':') : raw), z.array(z.string().min(1)).min(1)),
	allowed: 'a folder or a list of folders',
	isList: true,
};

/** A list of names; the environment separates them by `,`. */
const names = {
	schema: z.preprocess((raw) => (typeof raw === 'string' ? raw.split(',') : raw), z.array(z.string().trim().min(1))),
	allowed: 'a name or a list of names',
	isList: true,
};

function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Pick<Key<W[number]>, 'schema' | 'allowed'> {
	return { schema: z.enum(words), allowed: words.join(', ').replace(/, ([^,]+)$/, ' or $1') };
}

function key<T>(
	kind: Pick<Key<T>, 'schema' | 'allowed' | 'isList'>,
	fallback: T | Key<T>['fallback'],
	help: string,
	shown?: string,
): Key<T> {
	const read = typeof fallback === 'function' ? (fallback as Key<T>['fallback']) : () => fallback;
	return { ...kind, fallback: read, shown: shown ?? String(fallback), help };
}

const MiB = 1024 * 1024;

/** What a configuration says about one model: `slo` is steered towards, the others are bounds by hand. */
const modelSchema = z.strictObject({
	slo: z.strictObject({ p99_ms: z.int().min(1).max(60_000) }).optional(),
	max_batch_rows: z.int().min(1).max(1_000_000).optional(),
	max_batch_us: z.int().min(50).max(10_000_000).optional(),
	max_wait_ms: z.int().min(1).max(3_600_000).optional(),
});
export type ModelSettings = z.infer<typeof modelSchema>;

/** By model name; flags and environment bring it as JSON. */
const models = {
	schema: z.preprocess((raw) => (typeof raw === 'string' ? parsedJson(raw) : raw), z.record(z.string().min(1), modelSchema)),
	allowed: 'a map such as {"ranker": {"slo": {"p99_ms": 20}}} with slo, max_batch_rows, max_batch_us and max_wait_ms per model',
};

function parsedJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

export const keys = {
	id: key(text, 'rankd', 'name this server gives itself in logs and in GET /'),
	model_repository: key<string[]>(
		folders,
		['./models'],
		'folder of models, as bundles or in the layout of Triton; may be given several times',
	),
	model_control: key(
		oneOf('watch', 'poll', 'explicit', 'none'),
		'watch',
		'when the repository is followed: as it changes, every poll_interval_s, when asked over metrics_port, or never after the start',
	),
	poll_interval_s: key(whole(1, 86_400), 15, 'how often model_control poll looks at the repository, and watch looks beside its events'),
	load_model: key<string[]>(
		names,
		() => [],
		'model that model_control explicit loads at the start, `*` for all; may be given several times',
		'none',
	),
	auto_complete_config: key(yesOrNo, true, 'false: a model in the layout of Triton without a config.pbtxt is refused'),
	default_max_batch_size: key(
		whole(0, 1_000_000),
		4,
		'rows of a run for models whose configuration says nothing and whose graph can batch; 0 = never batched',
	),
	host: key(text, '0.0.0.0', 'address to listen on; 127.0.0.1 keeps the server to this machine'),
	http_port: key(whole(0, 65_535), 8000, 'port of HTTP and RPC; 0 takes any free port'),
	metrics_port: key(whole(0, 65_535), 8002, 'port of metrics, health and pages alone; 0 takes any free port'),
	grpc_port: key(whole(0, 65_535), 8001, 'port of gRPC; 0 takes any free port'),
	allow_http: key(yesOrNo, true, 'false: nothing listens on http_port'),
	allow_grpc: key(yesOrNo, true, 'false: nothing listens on grpc_port'),
	allow_metrics: key(yesOrNo, true, 'false: nothing listens on metrics_port'),
	unix_socket: key<string | undefined>(
		{ ...text, schema: text.schema.optional() },
		undefined,
		'path of a Unix socket to listen on as well; I/O threads after the first add .1, .2, or put {thread} in it',
		'none',
	),
	io_threads: key(
		whole(1, 256),
		() => Math.max(1, Math.floor(grantedCpus() / 2)),
		'threads that serve connections and run short work',
		'granted CPUs / 2, at least 1',
	),
	max_frame_bytes: key(whole(1024, 256 * MiB), 8 * MiB, 'largest RPC frame or HTTP body'),
	http_max_input_size: key(whole(1024, 1024 * MiB), 64 * MiB, 'largest body under /v2, also when it is unpacked, in bytes'),
	http_restricted_api: key<RestrictedApi[]>(
		restrictedApis,
		() => [],
		'groups of calls under /v2 that need a header, as <group>,…:<header>=<value>; may be given several times',
		'none',
	),
	default_deadline_ms: key(whole(0, 3_600_000), 0, 'deadline of requests that bring none; 0 = none'),
	queue_capacity: key(whole(1, 500_000), 4096, 'requests that may be open per I/O thread before new ones are answered OVERLOADED'),
	models: key<Record<string, ModelSettings>>(
		models,
		() => ({}),
		'what single models promise (slo.p99_ms) and their bounds by hand',
		'none',
	),
	max_wait_ms: key(whole(1, 3_600_000), 1000, 'a request that is expected to wait longer is answered OVERLOADED, whatever its deadline'),
	compute_threads: key(
		whole(0, 256),
		({ io_threads }) => Math.max(1, grantedCpus() - Number(io_threads)),
		'threads for long work; 0 runs everything on the I/O threads',
		'granted CPUs - io_threads, at least 1',
	),
	precompute_mib: key(
		whole(0, 1_000_000),
		1024,
		'memory per model for what its ranking graph computes of items alone, computed at load; 0 = graphs run as they are',
	),
	response_cache_mib: key(
		whole(0, 1_000_000),
		0,
		'memory for responses of infer, for models whose configuration turns response_cache on; 0 = none are kept',
	),
	response_cache_ttl_ms: key(whole(0, 86_400_000), 0, 'how long a response is kept; 0 = until there is need of its place'),
	event_log: key<string | undefined>(
		{ ...text, schema: text.schema.optional() },
		undefined,
		'folder where feedback is written down; without one, feedback is refused',
		'none',
	),
	event_log_segment_mib: key(whole(1, 1_000_000), 64, 'a file of the event log is closed, and the next one begun, before it grows beyond'),
	event_log_fsync: key(
		oneOf('never', 'interval', 'always'),
		'interval',
		'when written events are synced to disk: when the kernel sees fit, once a second, or before they are accepted',
	),
	event_log_keep_mib: key(whole(0, 1_000_000), 0, 'of closed files of the event log, the oldest beyond that are removed; 0 = all are kept'),
	flush_budget_us: key(whole(50, 1_000_000), 1000, 'how long one turn computes before it reads sockets again'),
	short_work_us: key(
		whole(0, 1_000_000),
		500,
		'work that is expected to take longer, and cannot be cut into slices, goes to a compute thread',
	),
	drain_timeout_ms: key(whole(0, 3_600_000), 10_000, 'how long a shutdown waits for open requests'),
	max_backpressure_bytes: key(
		whole(64 * 1024, 1024 * MiB),
		4 * MiB,
		'answers that may wait for one slow reader before its connection is cut; from half of it on its requests are answered OVERLOADED',
	),
	max_connections: key(whole(0, 1_000_000), 0, 'RPC connections accepted at once; 0 = no limit'),
	idle_timeout_s: key(whole(8, 960), 120, 'an RPC or gRPC connection that answers no ping for so long is closed'),
	strict_readiness: key(yesOrNo, false, 'ready only when every bundle was loaded, not from the first'),
	exit_on_error: key(yesOrNo, false, 'exit with code 1 when a bundle cannot be loaded at start'),
	observability: key(yesOrNo, true, 'false: the engine counts nothing and measures no loop, to see what that costs'),
	log_level: key(oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'info', 'least urgent log line that is written'),
	log_format: key(logFormat, 'json', 'one JSON object or one line of text per event, to stderr'),
} as const;

export type KeyName = keyof typeof keys;
export const keyNames = Object.keys(keys) as KeyName[];

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type ValueOf<K> = K extends Key<infer T> ? T : never;

/** The validated configuration: keys in camelCase. */
export type Config = { readonly [Name in KeyName as Camel<Name>]: ValueOf<(typeof keys)[Name]> };

/** `http_port` as `--http-port`, `RANKD_HTTP_PORT` and `httpPort`. */
export const flagName = (name: string): string => `--${name.replaceAll('_', '-')}`;
export const environmentName = (name: string): string => `RANKD_${name.toUpperCase()}`;
export const propertyName = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
