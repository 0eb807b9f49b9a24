/** What a command line with Triton's flags says, in our keys. */
import type { KeyName } from './keys.js';
import { type Meaning, refusal, type TritonFlag, tritonFlags } from './triton-flags.js';

export interface Translation {
	/** Values of our keys, raw as flags bring them. */
	keys: Partial<Record<KeyName, unknown>>;
	warnings: string[];
}

interface Said {
	flag: TritonFlag;
	value: string;
}

/**
 * @param given what the command line said, by flag name; several values of one flag as a list
 * @throws EngineError `INVALID_CONFIG` for a value that is not done, and for two flags that say different things about one key
 */
export function translateTritonFlags(given: ReadonlyMap<string, readonly string[]>): Translation {
	const said = tritonFlags.flatMap((flag) => (given.get(flag.name) ?? []).map((raw): Said => ({ flag, value: asSwitch(flag, raw) })));
	const all = new Map(said.map(({ flag, value }) => [flag.name, value]));
	const translation: Translation = { keys: {}, warnings: [] };
	/** Which flag has said what a key is. */
	const origins = new Map<string, string>();
	for (const { flag, value } of said) add(translation, flag.name, flag.means(value, all), origins);
	return translation;
}

/** Triton takes digits for switches as well. */
function asSwitch({ value }: TritonFlag, raw: string): string {
	if (value !== 'true|false') return raw;
	return { 1: 'true', 0: 'false' }[raw] ?? raw.toLowerCase();
}

function add({ keys, warnings }: Translation, name: string, meaning: Meaning, origins: Map<string, string>): void {
	if (meaning.warning !== undefined) warnings.push(meaning.warning);
	for (const [key, value] of Object.entries(meaning.keys ?? {})) {
		const other = origins.get(key);
		if (other !== undefined && keys[key as KeyName] !== value)
			throw refusal(name, String(value), `--${other} says that ${key} is ${String(keys[key as KeyName])}, and there is one ${key}`);
		origins.set(key, name);
		keys[key as KeyName] = value;
	}
}
