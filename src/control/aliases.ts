/** Reads `aliases.json`, which names versions of a model: `{"champion": "1.0.0"}`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../errors.js';
import type { Aliases, Problem } from './published-model.js';

/** @returns as written, also where they name a version that is not there, which `problems` tells; undefined when the file cannot be read */
export function readAliases(folder: string, versions: readonly string[], problems: Problem[]): Aliases | undefined {
	const path = join(folder, 'aliases.json');
	if (!existsSync(path)) return {};
	const aliases = parse(path, problems);
	for (const [alias, version] of Object.entries(aliases ?? {})) {
		if (versions.includes(version)) continue;
		const message = `alias "${alias}" names ${JSON.stringify(version)}; there are ${versions.join(', ')}`;
		problems.push({ path, error: new EngineError('UNKNOWN_VERSION', message) });
	}
	return aliases;
}

function parse(path: string, problems: Problem[]): Aliases | undefined {
	try {
		const aliases: unknown = JSON.parse(readFileSync(path, 'utf8'));
		if (typeof aliases !== 'object' || aliases === null || Array.isArray(aliases)) throw new TypeError('it holds something else');
		const asText = (version: unknown) => (typeof version === 'string' ? version : JSON.stringify(version));
		return Object.fromEntries(Object.entries(aliases).map(([alias, version]) => [alias, asText(version)]));
	} catch (cause) {
		const message = `aliases.json must be a map such as {"champion": "1.0.0"}: ${(cause as Error).message}`;
		problems.push({ path, error: new EngineError('BUNDLE_INVALID', message, { cause }) });
		return undefined;
	}
}
