/** Puts the sources in order (flag over environment over file over default) and checks every value once. */
import { EngineError } from '../errors.js';
import { type Config, type Earlier, type Key, type KeyName, keyNames, keys, propertyName } from './keys.js';
import { fromEnvironment, fromFile, fromFlags, type Layer, type Raw } from './sources.js';

export interface ConfigSources {
	flags?: Readonly<Record<string, unknown>>;
	environment?: Readonly<Record<string, string | undefined>>;
	/** A YAML or JSON file; default: the environment's RANKD_CONFIG, else none. */
	file?: string | undefined;
}

/** @throws EngineError `INVALID_CONFIG`: names the key, where its value stands and what is allowed */
export function loadConfig({ flags = {}, environment = {}, file }: ConfigSources = {}): Config {
	const path = file ?? environment['RANKD_CONFIG'];
	const layers = [fromFlags(flags), fromEnvironment(environment), path ? fromFile(path) : {}];
	const values: Partial<Record<KeyName, unknown>> = {};
	for (const name of keyNames) values[name] = resolved(name, layers, values);
	return Object.freeze(Object.fromEntries(Object.entries(values).map(([name, value]) => [propertyName(name), value]))) as Config;
}

function resolved(name: KeyName, layers: readonly Layer[], earlier: Earlier): unknown {
	const key: Key<unknown> = keys[name];
	const raw = layers.find((layer) => layer[name] !== undefined)?.[name];
	return raw === undefined ? key.fallback(earlier) : checked(name, key, raw);
}

function checked(name: KeyName, key: Key<unknown>, { value, origin }: Raw): unknown {
	const result = key.schema.safeParse(value);
	if (result.success) return result.data;
	throw new EngineError('INVALID_CONFIG', `${name} must be ${key.allowed}, got ${JSON.stringify(value) ?? 'nothing'} (${origin})`);
}
