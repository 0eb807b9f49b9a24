/** The body of a load: a configuration, and files in base64 that may be large. */
import type { LoadParameters } from '../../control/oip-repository.js';
import { EngineError } from '../../errors.js';
import { parseJson } from '../read-json.js';
import { checked } from './checked.js';
import { loadRequest } from './schemas.js';

const FILE = 'file:';

/** So many values make no load, but would fill the heap: `[[],[],…`. */
const MAX_VALUES = 10_000;

/** @throws EngineError `INVALID_BODY` | `INVALID_ARGUMENT` | `LIMIT_EXCEEDED` */
export function loadParametersOf(body: Uint8Array): LoadParameters {
	checkValueCount(body);
	const { config, ...rest } = checked(loadRequest, parseJson(body)).parameters ?? {};
	const files = Object.entries(rest).map(([name, content]) => [filePathOf(name), decoded(name, content)] as const);
	return { ...(config === undefined ? {} : { config }), files: Object.fromEntries(files) };
}

/** @param name of a parameter. @throws EngineError `INVALID_ARGUMENT` for one that is no file */
export function filePathOf(name: string): string {
	if (name.startsWith(FILE) && name.length > FILE.length) return name.slice(FILE.length);
	throw new EngineError('INVALID_ARGUMENT', `a load takes the parameters config and file:<path>, got ${JSON.stringify(name)}`);
}

/** Node's decoder leaves out what is no base64. */
function decoded(name: string, content: string | undefined): Uint8Array {
	const text = (content ?? '').replace(/=+$/, '');
	const bytes = Buffer.from(text, 'base64');
	if (bytes.byteLength === Math.floor((text.length * 3) / 4)) return bytes;
	throw new EngineError('INVALID_ARGUMENT', `parameters.${name} is not base64`);
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** Counts commas and openings outside of texts, which are jumped over. */
function checkValueCount(body: Uint8Array): void {
	let values = 0;
	for (let at = 0; at < body.length; at++) {
		const byte = body[at];
		if (byte === QUOTE) at = endOfText(body, at);
		else if (byte === COMMA || byte === BRACKET || byte === BRACE) values++;
		if (values > MAX_VALUES) throw new EngineError('LIMIT_EXCEEDED', `the body of a load has more than ${MAX_VALUES} values`);
	}
}

/** @returns where the closing quote stands, or the end. */
function endOfText(body: Uint8Array, start: number): number {
	let end = body.indexOf(QUOTE, start + 1);
	while (end >= 0 && isEscaped(body, end)) end = body.indexOf(QUOTE, end + 1);
	return end < 0 ? body.length : end;
}

function isEscaped(body: Uint8Array, at: number): boolean {
	let backslashes = 0;
	while (body[at - 1 - backslashes] === BACKSLASH) backslashes++;
	return backslashes % 2 === 1;
}
