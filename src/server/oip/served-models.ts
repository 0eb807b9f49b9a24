/** Models in service by what a path or message calls them, as the engine's own routes find them. */
import { EngineError } from '../../errors.js';
import type { ModelInfo } from '../../native/addon.js';

/** The alias that a name alone means, where a model has it; without it the highest version is meant. */
const DEFAULT_ALIAS = 'champion';

/** @returns all its versions, the lowest first. @throws EngineError `UNKNOWN_MODEL` */
export function versionsOf(models: readonly ModelInfo[], name: string): ModelInfo[] {
	const versions = models.filter((model) => model.name === name);
	if (versions.length > 0) return versions;
	const names = [...new Set(models.map((model) => model.name))].join(', ') || 'none';
	throw new EngineError('UNKNOWN_MODEL', `Request for unknown model: '${name}' is not found; loaded: ${names}`);
}

/** @param target `name`, `name@version` or `name@alias`. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
export function modelAt(models: readonly ModelInfo[], target: string): ModelInfo {
	const { name, selector } = partsOf(target);
	const versions = versionsOf(models, name);
	const found = chosen(versions, selector);
	if (found !== undefined) return found;
	const there = versions.map(({ version }) => version).join(', ');
	throw new EngineError('UNKNOWN_VERSION', `Request for unknown model: '${name}' version ${selector} is not found; loaded: ${there}`);
}

/** As `modelAt`, for who only asks whether it is there. */
export function isServed(models: readonly ModelInfo[], target: string): boolean {
	const { name, selector } = partsOf(target);
	const versions = models.filter((model) => model.name === name);
	return chosen(versions, selector) !== undefined;
}

/** @param versions of one model, the lowest first */
function chosen(versions: readonly ModelInfo[], selector: string | undefined): ModelInfo | undefined {
	const wanted = selector ?? DEFAULT_ALIAS;
	const found = versions.find(({ version, aliases }) => aliases.includes(wanted) || version === wanted);
	return found ?? (selector === undefined ? versions.at(-1) : undefined);
}

export function partsOf(target: string): { name: string; selector: string | undefined } {
	const at = target.indexOf('@');
	return at < 0 ? { name: target, selector: undefined } : { name: target.slice(0, at), selector: target.slice(at + 1) };
}

/** The same as the repository knows it: an alias is known to the engine alone. @throws EngineError `UNKNOWN_MODEL` | `UNKNOWN_VERSION` */
export function configuredModel(models: readonly ModelInfo[], target: string): { name: string; version?: string } {
	const { name, selector } = partsOf(target);
	return selector === undefined ? { name } : { name, version: modelAt(models, target).version };
}
