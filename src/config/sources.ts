/** Where configuration comes from: flags, environment and one file, each as named raw values that remember their origin. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { EngineError } from '../errors.js';
import { didYouMean, editDistance } from './did-you-mean.js';
import { environmentName, flagName, type KeyName, keyNames } from './keys.js';

/** A value nobody has checked yet, and the words that say where it stands. */
export interface Raw {
	value: unknown;
	origin: string;
}

export type Layer = Partial<Record<KeyName, Raw>>;

/** @param flags as the command line's parser names them: `httpPort` or `http_port` or `http-port` */
export function fromFlags(flags: Readonly<Record<string, unknown>>): Layer {
	const layer: Layer = {};
	for (const [flag, value] of Object.entries(flags)) {
		const name = snake(flag);
		if (!isKey(name)) throw unknownKey(name, 'the flags');
		if (value !== undefined) layer[name] = { value, origin: `flag ${flagName(name)}` };
	}
	return layer;
}

/**
 * Variables `RANKD_<KEY>`. Others that begin so are left alone (Kubernetes sets `RANKD_PORT` for a service of that name),
 * unless they look like a slip of the pen.
 */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Layer {
	const layer: Layer = {};
	for (const [variable, value] of Object.entries(environment)) {
		if (!variable.startsWith('RANKD_') || value === undefined || variable === 'RANKD_CONFIG') continue;
		const name = variable.slice('RANKD_'.length).toLowerCase();
		if (isKey(name)) layer[name] = { value, origin: `environment ${variable}` };
		else refuseSlip(variable);
	}
	return layer;
}

/** Short names resemble too much: RANKD_PORT is no slip of RANKD_HOST. */
const longEnough = keyNames.filter((name) => name.length >= 8).map(environmentName);

function refuseSlip(variable: string): void {
	const meant = longEnough.find((known) => editDistance(known, variable) <= 2);
	if (meant) throw new EngineError('INVALID_CONFIG', `unknown environment variable ${variable}. Did you mean "${meant}"?`);
}

/** One YAML or JSON file, a map of keys. */
export function fromFile(path: string): Layer {
	const content = parseFile(path) ?? {};
	if (typeof content !== 'object' || Array.isArray(content)) {
		throw new EngineError('INVALID_CONFIG', `${path} must hold a map of keys such as "http_port: 8000"`);
	}
	const layer: Layer = {};
	for (const [name, value] of Object.entries(content)) {
		if (!isKey(name)) throw unknownKey(name, path);
		layer[name] = { value, origin: path };
	}
	return layer;
}

function parseFile(path: string): unknown {
	try {
		return parse(readFileSync(path, 'utf8'));
	} catch (cause) {
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new EngineError('INVALID_CONFIG', `the configuration file ${path} cannot be read: ${reason}`, { cause });
	}
}

function unknownKey(name: string, origin: string): EngineError {
	const hint = didYouMean(name, keyNames) || ` Known keys are ${keyNames.join(', ')}.`;
	return new EngineError('INVALID_CONFIG', `unknown key "${name}" in ${origin}.${hint}`);
}

const isKey = (name: string): name is KeyName => (keyNames as string[]).includes(name);

const snake = (flag: string): string => flag.replaceAll('-', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
