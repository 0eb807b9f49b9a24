/** The import rule really holds the arrows: cli -> server -> control -> native, leaves below them all, the client apart. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const against = [
	['src/errors.ts', './log.js'],
	['src/config/a.ts', '../log.js'],
	['src/config/b.ts', '../native/engine.js'],
	['src/metrics/a.ts', '../native/engine.js'],
	['src/native/a.ts', '../server/turn.js'],
	['src/control/a.ts', '../server/app.js'],
	['src/control/b.ts', '../client/index.js'],
	['src/control/triton/a.ts', '../../server/app.js'],
	['src/server/a.ts', '../cli/serve.js'],
	['src/server/b.ts', '../client/codec.js'],
	['src/client/a.ts', '../native/engine.js'],
	['src/client/b.ts', '../config/keys.js'],
	['src/client/c.ts', '../server/turn.js'],
] as const;

const along = [
	['src/cli/a.ts', '../server/app.js'],
	['src/cli/b.ts', '../client/index.js'],
	['src/server/c.ts', '../control/repository.js'],
	['src/server/d.ts', '../metrics/metrics.js'],
	['src/control/c.ts', '../native/engine.js'],
	['src/control/triton/b.ts', '../versions.js'],
	['src/control/triton/c.ts', '../../errors.js'],
	['src/metrics/b.ts', '../native/addon.js'],
	['src/client/d.ts', '../native/addon.js'],
	['src/native/b.ts', '../errors.js'],
] as const;

test('imports against the arrows are refused, imports along them are not', () => {
	const content = (specifier: string) => `/** A file of a test. */\nimport { thing } from '${specifier}';\n\nexport const use = thing;\n`;
	const files = Object.fromEntries([...against, ...along].map(([path, specifier]) => [path, content(specifier)]));
	const cwd = temporaryFolder({ ...files, 'biome.json': readFileSync(fromRoot('biome.json'), 'utf8') });
	const { stdout, stderr } = spawnSync(fromRoot('node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', '--max-diagnostics=none'], {
		cwd,
		encoding: 'utf8',
	});
	const refused = [...(stdout + stderr).matchAll(/^(src\/\S+?\.ts):\S+ lint\/style\/noRestrictedImports/gm)].map(([, path]) => path);
	expect(refused.sort()).toEqual(against.map(([path]) => path).sort());
});
