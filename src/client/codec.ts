/** The one place where the client's camelCase meets the wire's snake_case, and typed arrays meet bytes. */
import { type Options, Packr, Unpackr } from 'msgpackr';
import { codeName, EngineError, type ErrorBody } from '../errors.js';
import type { Operation } from '../native/addon.js';
import { asBytes, fromTensor, toTensor, type WireTensor } from './tensors.js';
import type {
	FeedbackAnswer,
	FeedbackEvent,
	InferRequest,
	ItemsAnswer,
	RankRequest,
	ScoredItem,
	ScoreRequest,
	ScoresAnswer,
	ScoresPart,
	TensorsAnswer,
	Timing,
} from './types.js';

const FRAME_VERSION = 1;

// Records and typed arrays are msgpackr's own extensions, which other languages cannot read.
const packr = new Packr({ useRecords: false, variableMapSize: true });
// Integers beyond 2^53 arrive as bigint, smaller ones as number; msgpackr's types do not know this mode yet.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'auto' } as unknown as Options);

/** msgpack's first byte of an array of eight. */
const ARRAY_OF_8 = 0x98;

/** A request as every attempt sends it. */
export interface EncodedRequest {
	operation: Operation;
	target: string;
	priority: number;
	/** Candidates or rows, a hint for the server's admission; 0 = not said. */
	rows: number;
	/** Of `encodeBody`. */
	body: Uint8Array;
}

/** Done once per request: its arrays are the caller's again, however often it is sent.
 *  @throws EngineError `INVALID_ARGUMENT` for what msgpack cannot hold */
export function encodeBody(body: object): Uint8Array {
	try {
		return packr.pack(body);
	} catch (cause) {
		throw new EngineError('INVALID_ARGUMENT', `the request cannot be encoded: ${(cause as Error).message}`, { cause });
	}
}

/** @param deadlineMs what is left of it; 0 = none */
export function encodeFrame({ operation, target, priority, rows, body }: EncodedRequest, id: number, deadlineMs: number): Uint8Array {
	const envelope = packr.pack([FRAME_VERSION, operation, id, target, deadlineMs || null, priority || null, rows || null]);
	envelope[0] = ARRAY_OF_8; // the body behind it is the eighth
	return Buffer.concat([envelope, body]);
}

export interface AnswerFrame {
	/** null: the error belongs to no request that the server could name. */
	id: number | null;
	error: EngineError | undefined;
	/** Counts the frames of one answer from 0. */
	seq: number;
	isLast: boolean;
	body: WireAnswer;
}

export interface WireAnswer {
	request_id: number | null;
	model: string;
	version: string;
	degraded: ItemsAnswer['degraded'];
	items?: ScoredItem[];
	scores?: Uint8Array;
	/** Of the first score among all, in a stream. */
	offset?: number;
	decisions?: string[];
	outputs?: WireTensor[];
	accepted?: number;
	timing: { queue: number; compute: number; total: number };
}

/** @throws Error when the bytes are no answer frame */
export function decodeAnswer(frame: Uint8Array): AnswerFrame {
	const elements = unpackr.unpack(frame) as [number, number | null, number, number, boolean, WireAnswer & ErrorBody];
	const [version, id, code, seq, isLast, body] = elements;
	if (version !== FRAME_VERSION) throw new Error(`frame version ${version}, this client speaks ${FRAME_VERSION}`);
	return { id, error: code === 0 ? undefined : toError(code, body), seq, isLast, body };
}

function toError(number: number, { error, retry_after_ms }: ErrorBody): EngineError {
	const code = codeName(number);
	return new EngineError(code === 'OK' ? 'INTERNAL' : code, error, { retryAfterMs: retry_after_ms });
}

export function toItems({ request_id, model, version, degraded, items = [], timing }: WireAnswer): ItemsAnswer {
	return { requestId: request_id, model, version, degraded, items, timing: toTiming(timing) };
}

export function toScores({ request_id, model, version, degraded, scores, decisions, timing }: WireAnswer): ScoresAnswer {
	const answer = { requestId: request_id, model, version, degraded, scores: toFloats(scores), timing: toTiming(timing) };
	return decisions === undefined ? answer : { ...answer, decisions };
}

export const toScoresPart = (body: WireAnswer): ScoresPart => ({ ...toScores(body), offset: body.offset ?? 0 });

export function toTensors({ request_id, model, version, degraded, outputs = [], timing }: WireAnswer): TensorsAnswer {
	return { requestId: request_id, model, version, degraded, outputs: outputs.map(toTensor), timing: toTiming(timing) };
}

export function toFeedback({ request_id, model, version, degraded, accepted = 0, timing }: WireAnswer): FeedbackAnswer {
	return { requestId: request_id, model, version, degraded, accepted, timing: toTiming(timing) };
}

/** The bytes lie anywhere in the frame; floats want an address that is a multiple of four. */
const toFloats = (bytes: Uint8Array = new Uint8Array()): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

const toTiming = ({ queue, compute, total }: WireAnswer['timing']): Timing => ({ queueUs: queue, computeUs: compute, totalUs: total });

export function fromRank({ candidates, ...rest }: RankRequest): object {
	if (candidates instanceof Uint32Array) return { ...rest, candidates: asBytes(candidates), id_type: 'u32_row' };
	if (candidates instanceof BigUint64Array) return { ...rest, candidates: asBytes(candidates), id_type: 'u64' };
	return { ...rest, candidates };
}

export function fromScore({ rows }: ScoreRequest): object {
	return { rows: rows instanceof Float32Array ? asBytes(rows) : rows };
}

export const fromEvents = (events: readonly FeedbackEvent[]): object => ({ events: events.map(fromEvent) });

const fromEvent = ({ requestId, ...event }: FeedbackEvent): object =>
	requestId === undefined ? event : { ...event, request_id: requestId };

export function fromInfer({ inputs, outputs }: InferRequest): object {
	const body = { inputs: inputs.map(fromTensor) };
	return outputs === undefined ? body : { ...body, outputs: outputs.map((name) => ({ name })) };
}
