/** Every configuration key: what it means, what it may be, and what it is when nobody says. */
import { z } from 'zod';
import { grantedCpus } from './granted-cpus.js';

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
}

/** Flags and environment bring text: a number arrives as its digits. */
function whole(from: number, to: number): Pick<Key<number>, 'schema' | 'allowed'> {
	const digits = (raw: unknown) => (typeof raw === 'string' && /^\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw);
	return { schema: z.preprocess(digits, z.int().min(from).max(to)), allowed: `a whole number from ${from} to ${to}` };
}

const text = { schema: z.string().trim().min(1).max(4096), allowed: 'text that is not empty' };

const yesOrNo = {
	schema: z.preprocess((raw) => (raw === 'true' ? true : raw === 'false' ? false : raw), z.boolean()),
	allowed: 'true or false',
};

/** A list of folders; the environment separates them by `:` as PATH does. */
const folders = {
	schema: z.preprocess((raw) => (typeof raw === 'string' ? raw.split(':') : raw), z.array(z.string().min(1)).min(1)),
	allowed: 'a folder or a list of folders',
};

function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Pick<Key<W[number]>, 'schema' | 'allowed'> {
	return { schema: z.enum(words), allowed: words.join(', ').replace(/, ([^,]+)$/, ' or $1') };
}

function key<T>(kind: Pick<Key<T>, 'schema' | 'allowed'>, fallback: T | Key<T>['fallback'], help: string, shown?: string): Key<T> {
	const read = typeof fallback === 'function' ? (fallback as Key<T>['fallback']) : () => fallback;
	return { ...kind, fallback: read, shown: shown ?? String(fallback), help };
}

const MiB = 1024 * 1024;

export const keys = {
	id: key(text, 'rankd', 'name this server gives itself in logs and in GET /'),
	model_repository: key<string[]>(folders, ['./models'], 'folder of bundles, name/version/manifest.json in it; may be given several times'),
	host: key(text, '0.0.0.0', 'address to listen on; 127.0.0.1 keeps the server to this machine'),
	http_port: key(whole(0, 65_535), 8000, 'port of HTTP and RPC; 0 takes any free port'),
	metrics_port: key(whole(0, 65_535), 8002, 'port of metrics, health and pages alone; 0 takes any free port'),
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
	default_deadline_ms: key(whole(0, 3_600_000), 0, 'deadline of requests that bring none; 0 = none'),
	queue_capacity: key(whole(1, 500_000), 4096, 'requests that may wait per I/O thread before new ones are answered OVERLOADED'),
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
	flush_budget_us: key(whole(50, 1_000_000), 1000, 'how long one turn computes before it reads sockets again'),
	short_work_us: key(whole(0, 1_000_000), 500, 'work expected to take longer goes to a compute thread'),
	drain_timeout_ms: key(whole(0, 3_600_000), 10_000, 'how long a shutdown waits for open requests'),
	max_connections: key(whole(0, 1_000_000), 0, 'RPC connections accepted at once; 0 = no limit'),
	idle_timeout_s: key(whole(8, 960), 120, 'an RPC connection that answers no ping for so long is closed'),
	strict_readiness: key(yesOrNo, false, 'ready only when every bundle was loaded, not from the first'),
	exit_on_error: key(yesOrNo, false, 'exit with code 1 when a bundle cannot be loaded at start'),
	observability: key(yesOrNo, true, 'false: the engine counts nothing and measures no loop, to see what that costs'),
	log_level: key(oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'info', 'least urgent log line that is written'),
	log_format: key(oneOf('json', 'text'), 'json', 'one JSON object or one line of text per event, to stderr'),
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
