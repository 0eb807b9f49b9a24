/** Checks the form of the C++ files, or writes it with `--write`. */
import { spawnSync } from 'node:child_process';
import { nativeSources } from './check-arrows.mjs';
import { inRoot } from './setup/paths.mjs';

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const files = nativeSources().map((path) => inRoot('native', path));
const { status, error } = spawnSync(inRoot('node_modules', '.bin', 'clang-format'), [...mode, ...files], { stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
