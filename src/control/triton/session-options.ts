/** A configuration's `parameters` that Triton's backend hands to ONNX Runtime; the others are the model's own and decide nothing. */
import { EngineError } from '../../errors.js';
import type { ModelConfig } from './model-config.js';

/** The manifest's `session`. @throws EngineError `BUNDLE_INVALID` naming the parameter */
export function sessionOf({ parameters = {} }: ModelConfig): object | undefined {
	const values = Object.entries(parameters).map(([key, { string_value: value = '' }]) => [key, value] as const);
	const texts = new Map(values);
	const entries = values.filter(([key]) => key.startsWith('session.'));
	const session = {
		intra_op_threads: wholeNumber(texts, 'intra_op_thread_count'),
		inter_op_threads: wholeNumber(texts, 'inter_op_thread_count'),
		execution_mode: executionMode(texts.get('execution_mode')),
		entries: entries.length > 0 ? Object.fromEntries(entries) : undefined,
	};
	return Object.values(session).some((value) => value !== undefined) ? session : undefined;
}

function wholeNumber(texts: ReadonlyMap<string, string>, key: string): number | undefined {
	const text = texts.get(key);
	if (text === undefined) return undefined;
	if (!/^\d{1,4}$/.test(text)) throw invalid(key, text, 'a number of threads');
	return Number(text);
}

function executionMode(text: string | undefined): 'sequential' | 'parallel' | undefined {
	if (text === undefined) return undefined;
	if (text === '0') return 'sequential';
	if (text === '1') return 'parallel';
	throw invalid('execution_mode', text, '0, one operator after the other, or 1, several at a time');
}

const invalid = (key: string, text: string, expected: string) =>
	new EngineError('BUNDLE_INVALID', `parameters ${key} is ${JSON.stringify(text)}, expected ${expected}`);
