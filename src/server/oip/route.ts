/** What a route under /v2 is: where it stands, who may call it, what it says of itself, and what it does. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { z } from 'zod';
import type { ApiGroup } from '../../config/restricted-api.js';
import { EngineError } from '../../errors.js';
import type { Context } from '../context.js';
import { parseJson, readBytes } from '../read-json.js';
import { type Reply, sendJson } from '../reply.js';
import { checked } from './checked.js';
import { refuseOip } from './refuse-oip.js';

/** One call of a route; `request` is uWebSockets' own again when the handler returns. */
export interface OipCall {
	readonly context: Context;
	readonly response: HttpResponse;
	readonly request: HttpRequest;
	/** The decoded segments that the route's path names in braces. */
	readonly path: Readonly<Record<string, string>>;
	/** Of every answer: a HEAD has no body. */
	readonly rest: Partial<Reply>;
}

export interface OipRoute {
	/** GET routes answer HEAD as well. */
	readonly method: 'get' | 'post';
	/** For example `/v2/models/{model}/ready`. */
	readonly path: string;
	/** Absent: never restricted. */
	readonly group?: ApiGroup;
	readonly summary: string;
	/** The body it takes, and one that it accepts. */
	readonly body?: { schema: z.ZodType; example: unknown };
	/** Of status 200; absent: no JSON. */
	readonly answer?: z.ZodType;
	/** Whether tensors may stand behind the JSON, in both directions. */
	readonly isBinary?: boolean;
	/** @throws EngineError what the caller is told */
	readonly serve: (call: OipCall) => void;
}

/** Of administrative bodies: settings, not tensors. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A route that tells what this thread knows. */
export const tells =
	(answer: (call: OipCall) => unknown): OipRoute['serve'] =>
	(call) =>
		sendJson(call.response, 200, answer(call), call.rest);

/** A route whose answer takes a while. */
export const asks =
	(answer: (call: OipCall) => Promise<unknown>): OipRoute['serve'] =>
	(call) => {
		const { context, response, rest } = call;
		let isGone = false;
		response.onAborted(() => {
			isGone = true;
		});
		answer(call).then(
			(value) => isGone || sendJson(response, 200, value, rest),
			(thrown) => isGone || refuseOip(context, response, EngineError.from(thrown), rest),
		);
	};

/** A route that is sent JSON; no body reads as `{}`. */
export const takes = <T>(schema: z.ZodType<T>, answer: (body: T, call: OipCall) => unknown): OipRoute['serve'] =>
	asks(async (call) => {
		const body = await readBytes(call.response, call.context.traffic, MAX_BODY_BYTES);
		return answer(checked(schema, parseJson(body)), call);
	});

/** @returns what a call's path means: `model`, or `model@version` */
export const targetOf = ({ path: { model = '', version } }: OipCall): string => (version === undefined ? model : `${model}@${version}`);
