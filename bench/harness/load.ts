/** The load generator's language: a JSON spec on stdin, a JSON result on stdout. Units belong to the names. */

export interface LoadSpec {
	target: {
		/** `rpc`: WebSocket frames at `path`; `http`: keep-alive requests, one outstanding per connection. */
		transport: 'rpc' | 'http';
		/** `host:port`, or `unix:/path`. Several: connections are spread over them in turn. */
		addresses: string[];
		/** For example `/rpc` or `/v1/rank/packages`. */
		path: string;
		/** HTTP only, for example `{"content-type": "application/json"}`. */
		headers?: Record<string, string>;
	};
	/** A corpus file (see corpus.ts): frames for `rpc`, bodies for `http`; taken in turn. */
	corpus: string;
	connections: number;
	load: ClosedLoad | OpenLoad | ReplayLoad;
	/** Seconds before measuring, at the first rate of the profile; their requests are not counted. Default 0.5. */
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

/** Each connection keeps `in_flight` requests outstanding (1 for http): finds the peak, hides queues. */
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
	/** On top of the profile: every `every_ms`, `requests` at once. */
	burst?: { every_ms: number; requests: number };
}

export interface ReplayLoad {
	mode: 'replay';
	file: string;
}

/** Answers that may be tried again (OVERLOADED, DRAINING, CONNECTION_LOST; HTTP 429, 503) are, within a budget. Default: never. */
export interface RetrySpec {
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

export interface LoadResult {
	/** Of the measured part, from its first intended send to its end. */
	seconds: number;
	/** Requests due in the measured part; retries not counted. */
	intended: number;
	sent: number;
	/** Answered without an error. */
	completed: number;
	/** Answers by error code (rpc: the catalogue's number as text, http: the status), and `CONNECTION_LOST`. */
	errors: Record<string, number>;
	unanswered: number;
	retries: number;
	/** Sends that left over 1 ms after they were due because this program was late, not because the server was. */
	missed: number;
	/** More than 1 % missed: the numbers say nothing about the server. */
	is_void: boolean;
	completed_per_second: number;
	/** Of completed requests, from the intended send (closed: from the send) to the last byte of the answer. */
	latency_us: Percentiles;
	/** Non-empty buckets of the HDR histogram (3 digits): [highest value of the bucket in µs, count]. */
	histogram: [number, number][];
	timeline: { at_ms: number; completed: number; errors: number; p50_us: number; p99_us: number; max_us: number }[];
	sent_bytes: number;
	received_bytes: number;
	/** CPU time of this program during the measured part, over its wall time: 1 = this core is full. */
	generator_utilisation: number;
}
