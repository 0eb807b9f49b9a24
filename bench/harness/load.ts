/**
 * The load generator's language: a JSON spec on stdin (or in a file), a JSON result on stdout. Units belong to the names.
 * `bench/load/` reads and writes it; a field that is not here is an error that names it.
 */

export interface LoadSpec {
	target: {
		/** `rpc`: WebSocket frames at `path`; `http`: keep-alive requests, one outstanding per connection. */
		transport: 'rpc' | 'http';
		/** `host:port`, or `unix:/path`. Several: connections are spread over them in turn. */
		addresses: string[];
		/** For example `/rpc` or `/v1/rank/packages`. */
		path: string;
		/** HTTP only, for example `{"content-type": "application/json"}`. Host, connection and length are the generator's own. */
		headers?: Record<string, string>;
	};
	/** A corpus file (see corpus.ts): frames for `rpc`, bodies for `http`; taken in turn. */
	corpus: string;
	connections: number;
	/**
	 * RPC only: what is left of it since the intended send is written into every frame (whose corpus must have room for one, see corpus.ts),
	 * no retry leaves behind it, and `in_time` counts answers within it. Default: frames stay as they are, every answer is in time.
	 */
	deadline_ms?: number;
	/** A group, 0 to 7, for each entry of the corpus: the result tells them apart. */
	groups?: readonly number[];
	/**
	 * RPC, open loop or replay: the addresses take turns of this length, each alone with the whole load while it lasts. Each is a group of the
	 * result, in order.
	 */
	alternate_ms?: number;
	load: ClosedLoad | OpenLoad | ReplayLoad;
	/**
	 * Seconds before measuring, at the first rate of the profile (a replay: at the recording's mean rate); their requests are not
	 * counted. Default 0.5.
	 */
	warmup_seconds?: number;
	/** Seconds to wait at the end for answers; what is still open then is `unanswered`. Default 5. */
	linger_seconds?: number;
	/** Seeds arrivals, jitter and retries. Default 1. */
	seed?: number;
	/** Width of a step of the timeline. Default 100. */
	interval_ms?: number;
	retry?: RetrySpec;
	/** Writes intended times and corpus places to this file; `replay` sends the same again. */
	record?: string;
}

/** Each connection keeps `in_flight` requests outstanding (1 for http): finds the peak, hides queues. A retry keeps its place. */
export interface ClosedLoad {
	mode: 'closed';
	in_flight: number;
	seconds: number;
}

/** Requests leave when they are due, whatever the server does; latency counts from then. */
export interface OpenLoad {
	mode: 'open';
	arrivals: 'constant' | 'poisson';
	/** Rates one after the other: one step is a constant load, several are a step profile. */
	profile: { seconds: number; per_second: number }[];
	/** On top of the profile: every `every_ms`, `requests` at once. What one core cannot send within a millisecond counts as missed. */
	burst?: { every_ms: number; requests: number };
}

export interface ReplayLoad {
	mode: 'replay';
	file: string;
}

/** Answers that may be tried again (OVERLOADED, DRAINING, CONNECTION_LOST; HTTP 429, 503) are, within a budget. Default: never. */
export interface RetrySpec {
	/** The first one counts: 2 means one retry. */
	max_attempts: number;
	/** Retries per request sent, over the whole run, for example 0.1. */
	budget: number;
	/** First wait when the answer names none; doubles per attempt, full jitter. */
	backoff_ms: number;
}

export interface Percentiles {
	min: number;
	mean: number;
	p50: number;
	p90: number;
	p95: number;
	p99: number;
	p999: number;
	max: number;
}

/** What became of the requests of one group; what neither completed nor ended in an error is unanswered. */
export interface GroupResult {
	intended: number;
	completed: number;
	errors: number;
	latency_us: Percentiles;
	histogram: LoadResult['histogram'];
}

export interface LoadResult {
	/** Of the measured part: from the end of the warm-up to the end of the profile; lingering is not part of it. */
	seconds: number;
	/** Requests due in the measured part; retries not counted. */
	intended: number;
	/** Those that were handed to a connection; the others waited for one to the end, or the generator never came to them. */
	sent: number;
	/** Answered without an error. */
	completed: number;
	/** Of these, answered within `deadline_ms` of the intended send: over `seconds`, the goodput. */
	in_time: number;
	/**
	 * Requests that ended in an error, by its code (rpc: the catalogue's number as text, http: the status) or `CONNECTION_LOST`;
	 * and `PROTOCOL`: over http, requests whose answer was none; over rpc, messages that belong to no request.
	 */
	errors: Record<string, number>;
	/** Intended, and neither completed nor ended in an error. */
	unanswered: number;
	retries: number;
	/**
	 * Sends that left over 1 ms after they were due because this program was late, not because the server was: a request that
	 * stood behind a busy or full connection in time is not one. Always 0 in a closed loop.
	 */
	missed: number;
	/** More than 1 % missed: the numbers say nothing about the server. */
	is_void: boolean;
	/** Answers without an error that came within the measured part, over its seconds: under overload, what the server can do. */
	completed_per_second: number;
	/** Of completed requests, from the intended send (closed: from the send) to the last byte of the answer. */
	latency_us: Percentiles;
	/** Non-empty buckets of the HDR histogram (3 digits): [highest value of the bucket in µs, count]. */
	histogram: [number, number][];
	timeline: { at_ms: number; completed: number; errors: number; p50_us: number; p99_us: number; max_us: number }[];
	/** Empty unless the spec tells groups apart. */
	groups: GroupResult[];
	/** From the start of the measured part to the end of the run, frame and header bytes included. */
	sent_bytes: number;
	received_bytes: number;
	/**
	 * Share of the measured part's time that went into passes of the generator's loop that sent or received something; idle asking
	 * of sockets is left out. 1 = this core is full. It is an upper bound of what the load costs: under more load a pass carries more.
	 */
	generator_utilisation: number;
}
