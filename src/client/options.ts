/** What a client may be told, checked. */
import { EngineError } from '../errors.js';

export interface ClientOptions {
	/** WebSockets kept open to each url; a server spreads connections over its threads, so more than one. Default 2. */
	connections?: number;
	/** For calls that say none; 0 = wait for ever. Default 0. */
	deadlineMs?: number;
	/** How long a connection may take to stand, or to answer a ping after a request missed its deadline. Default 5,000. */
	connectTimeoutMs?: number;
	retry?: RetryOptions;
	/** Default: no hedging. */
	hedge?: HedgeOptions;
}

export interface RetryOptions {
	/** How often a request is sent at most: the first time, retries and hedge together; 1 = no retries. Default 3. */
	attempts?: number;
	/** Retries and hedges per request, in the long run; 3 per second are allowed in any case. Default 0.2. */
	budget?: number;
}

export interface HedgeOptions {
	/** Without an answer for so long, a copy goes to another connection: about the p95 of the calls' latency. */
	afterMs: number;
}

export interface ClientSettings {
	urls: readonly string[];
	connections: number;
	deadlineMs: number;
	connectTimeoutMs: number;
	attempts: number;
	budget: number;
	hedgeAfterMs: number | undefined;
}

export interface OipClientOptions {
	/** Kept open to each url; calls beyond them wait for one. Default 64. */
	connections?: number;
	/** For calls that say none; 0 = wait for ever. Default 0. */
	deadlineMs?: number;
	/** Of calls that only read; those that load and unload are sent once. */
	retry?: RetryOptions;
}

export interface OipClientSettings {
	bases: readonly URL[];
	connections: number;
	deadlineMs: number;
	attempts: number;
	budget: number;
}

const LONGEST_MS = 2 ** 31 - 1;

/** @throws EngineError `INVALID_ARGUMENT` */
export function checkOptions(url: string | readonly string[], options: ClientOptions): ClientSettings {
	const { connections = 2, deadlineMs = 0, connectTimeoutMs = 5000, retry = {}, hedge } = options;
	checkWhole('connections', connections, 1, 1000);
	checkWhole('connectTimeoutMs', connectTimeoutMs, 1, LONGEST_MS);
	if (hedge !== undefined) checkWhole('hedge.afterMs', hedge.afterMs, 1, LONGEST_MS);
	const settings = { connections, deadlineMs: checkDeadline(deadlineMs), connectTimeoutMs, ...checkRetry(retry) };
	return { ...settings, urls: checkUrls(url, /^(wss?|ws\+unix):[^#]+$/, 'ws:', 'ws://127.0.0.1:8000/rpc'), hedgeAfterMs: hedge?.afterMs };
}

/** @throws EngineError `INVALID_ARGUMENT` */
export function checkOipOptions(url: string | readonly string[], options: OipClientOptions): OipClientSettings {
	const { connections = 64, deadlineMs = 0, retry = {} } = options;
	checkWhole('connections', connections, 1, 10_000);
	const urls = checkUrls(url, /^https?:[^#?]+$/, 'http:', 'http://127.0.0.1:8000');
	const bases = urls.map((each) => new URL(each));
	return { bases, connections, deadlineMs: checkDeadline(deadlineMs), ...checkRetry(retry) };
}

/** @throws EngineError `INVALID_ARGUMENT` */
export function checkDeadline(deadlineMs: number): number {
	checkWhole('deadlineMs', deadlineMs, 0, LONGEST_MS);
	return deadlineMs;
}

function checkRetry({ attempts = 3, budget = 0.2 }: RetryOptions): { attempts: number; budget: number } {
	checkWhole('retry.attempts', attempts, 1, 100);
	if (!(budget >= 0 && budget <= 1)) throw invalid(`retry.budget must be a number from 0 to 1, got ${budget}`);
	return { attempts, budget };
}

function checkUrls(url: string | readonly string[], form: RegExp, scheme: string, example: string): readonly string[] {
	const urls = typeof url === 'string' ? [url] : [...url];
	if (urls.length === 0) throw invalid('there must be at least one url');
	for (const each of urls) {
		if (form.test(each) && URL.canParse(each)) continue;
		throw invalid(`a url must begin with ${scheme}, got ${JSON.stringify(each)}; for example ${example}`);
	}
	return urls;
}

function checkWhole(name: string, value: number, least: number, most: number): void {
	if (Number.isInteger(value) && value >= least && value <= most) return;
	throw invalid(`${name} must be a whole number from ${least} to ${most}, got ${value}`);
}

const invalid = (message: string): EngineError => new EngineError('INVALID_ARGUMENT', message);
