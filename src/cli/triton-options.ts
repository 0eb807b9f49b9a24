/** Triton's flags on the command line, beside ours. */
import { type Command, Option } from 'commander';
import type { KeyName } from '../config/keys.js';
import { propertyName } from '../config/keys.js';
import { type Translation, translateTritonFlags } from '../config/translate-triton-flags.js';
import { tritonFlags } from '../config/triton-flags.js';
import { EngineError } from '../errors.js';

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value];

export function addTritonOptions(command: Command): Command {
	for (const { name, value, help } of tritonFlags) {
		const option = new Option(`--${name} ${value === 'true|false' ? `[${value}]` : `<${value}>`}`, help);
		if (value === 'true|false') option.preset('true');
		command.addOption(option.argParser(collect).helpGroup("Triton's flags:"));
	}
	return command;
}

/**
 * Takes Triton's flags out of what commander has read.
 * @returns ours, with what the others mean. @throws EngineError `INVALID_CONFIG` as well when both say something about one key
 */
export function translatedFlags(read: Readonly<Record<string, unknown>>): Translation {
	const ours = { ...read };
	const theirs = new Map<string, string[]>();
	for (const { name } of tritonFlags) {
		const property = propertyName(name.replaceAll('-', '_'));
		if (ours[property] !== undefined) theirs.set(name, ours[property] as string[]);
		delete ours[property];
	}
	const { keys, warnings } = translateTritonFlags(theirs);
	const merged: Record<string, unknown> = { ...ours };
	for (const [key, value] of Object.entries(keys)) {
		const property = propertyName(key);
		if (ours[property] !== undefined && String(ours[property]) !== String(value))
			throw new EngineError('INVALID_CONFIG', `the flags say two things about ${key}: ${String(ours[property])} and ${String(value)}`);
		merged[property] = value;
	}
	return { keys: merged as Partial<Record<KeyName, unknown>>, warnings };
}
