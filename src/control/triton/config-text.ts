/** Reads `config.pbtxt`, protobuf's text format, and says of a mistake in which line it is and at which field. */
import type { Enum, Field, Message, ReflectionObject, Type } from 'protobufjs';
import textformat from 'protobufjs/ext/textformat.js';
import { didYouMean } from '../../config/did-you-mean.js';
import { EngineError } from '../../errors.js';
import { messageType, protocol } from '../../protocol.js';
import { configOf, type ModelConfig } from './model-config.js';

/** A configuration is a page of text; what is larger is none. */
const MOST_CHARACTERS = 1 << 20;

/** @throws EngineError `BUNDLE_INVALID`, for example `line 3: ModelConfig has no field "max_batch". Did you mean "max_batch_size"?` */
export function readConfigText(text: string): ModelConfig {
	if (text.length > MOST_CHARACTERS) throw invalid(`it has ${text.length} characters, at most ${MOST_CHARACTERS} are read`);
	const parsed = parse(text);
	if (parsed instanceof Error) throw invalid(`line ${lineOf(parsed, text)}: ${explain(parsed, text)}`, parsed);
	return configOf(parsed);
}

const invalid = (message: string, cause?: Error) => new EngineError('BUNDLE_INVALID', message, { cause });

function parse(text: string): Message | Error {
	try {
		return textformat.fromText(messageType('ModelConfig'), text);
	} catch (thrown) {
		return thrown as Error;
	}
}

const lineInMessage = / \(line (\d+)\)$/;

function lineOf(error: Error, text: string): number {
	const told = lineInMessage.exec(error.message)?.[1];
	return told === undefined ? text.slice(0, endOf(error, text)).split('\n').length : Number(told);
}

/**
 * Where a mistake ends whose place the library does not tell. Parsing stops at the first one, so the same complaint comes from every
 * beginning of the text that holds it, and from no shorter one. Between two tokens is white space, which no string crosses a line in.
 */
function endOf({ message }: Error, text: string): number {
	const ends = [...text.matchAll(/\s|$/g)].map(({ index }) => index);
	const isThere = (end: number) => (parse(text.slice(0, end)) as Error).message === message;
	let [low, high] = [0, ends.length - 1];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (isThere(ends[middle] as number)) high = middle;
		else low = middle + 1;
	}
	return ends[high] as number;
}

function explain(error: Error, text: string): string {
	const message = error.message.replace(lineInMessage, '');
	const unknown = /^\.(?<type>[\w.]+): unknown field '(?<field>.*)'$/.exec(message)?.groups;
	if (unknown) return unknownField(unknown['type'] ?? '', unknown['field'] ?? '');
	const named = /^\.(?<path>[\w.]+): (?<rest>.*)$/.exec(message)?.groups;
	if (named) return ofField(protocol().lookup(named['path'] ?? ''), named['rest'] ?? '');
	if (lineInMessage.test(error.message)) return `${message} in ${JSON.stringify(lineAt(text, lineOf(error, text)))}`;
	return `${lastField(text.slice(0, endOf(error, text)))}: ${message}`;
}

function unknownField(path: string, field: string): string {
	const type = protocol().lookupType(path);
	return `${type.name} has no field "${field}".${didYouMean(field, Object.keys(type.fields))}`;
}

function ofField(found: ReflectionObject | null, rest: string): string {
	if (found === null) return rest;
	const values = (found as Field).resolvedType as Type | Enum | null;
	const choices = values && 'values' in values ? `, one of ${Object.keys(values.values).join(', ')}` : '';
	return `${found.name}: ${rest}${choices}`;
}

const lineAt = (text: string, line: number): string => (text.split('\n')[line - 1] ?? '').trim().slice(0, 120);

const lastField = (text: string): string => [...text.matchAll(/([A-Za-z_]\w*)\s*[:{<[]/g)].at(-1)?.[1] ?? 'config';
