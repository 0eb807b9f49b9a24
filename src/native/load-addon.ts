/** Finds the compiled engine and says what to do when it is not there. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../errors.js';
import type { Addon } from './addon.js';

const packageRoot = new URL('../../', import.meta.url);

/** Where the build puts it, beside the library it loads. */
const path = fileURLToPath(new URL('build/cmake/rankd.node', packageRoot));

let loaded: Addon | undefined;

/** @throws EngineError `INVALID_CONFIG` when the addon has not been built, or cannot be loaded into this Node */
export function loadAddon(): Addon {
	loaded ??= requireAddon();
	return loaded;
}

function requireAddon(): Addon {
	if (!existsSync(path)) throw new EngineError('INVALID_CONFIG', `the engine is not built: ${path} does not exist; run npm run build`);
	try {
		return createRequire(import.meta.url)(path) as Addon;
	} catch (cause) {
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new EngineError('INVALID_CONFIG', `the engine at ${path} cannot be loaded (${reason}); run npm run build`, { cause });
	}
}
