/** Ties what we start to our own life: the kernel ends it should we be killed without a word. */
import { spawnSync } from 'node:child_process';

/** Since util-linux 2.33; elsewhere a killed bench (kill -9) leaves its servers running. */
const hasTether = (spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout ?? '').includes('--pdeathsig');

/** `command`, which gets SIGTERM when the thread that started it ends. The process keeps the id that it was started with. */
export const tethered = (command: readonly string[]): string[] =>
	hasTether ? ['setpriv', '--pdeathsig', 'TERM', ...command] : [...command];
