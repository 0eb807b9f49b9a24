/** Checks the form of the C++ files, or writes it with `--write`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { nativeSources } from './check-arrows.mjs';
import { inRoot } from './setup/paths.mjs';

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const loadGenerator = readdirSync(inRoot('bench', 'load'), { recursive: true }).filter((path) => /\.(h|cc)$/.test(path));
const files = [...nativeSources().map((path) => inRoot('native', path)), ...loadGenerator.map((path) => inRoot('bench', 'load', path))];
const { status, error } = spawnSync(inRoot('node_modules', '.bin', 'clang-format'), [...mode, ...files], { stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
