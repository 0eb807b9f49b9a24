/** The project's folders, wherever the command was started. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const inRoot = (...parts) => join(root, ...parts);

/** What the tools printed, one file per step; the screen shows it only when a step fails. */
export const logDir = inRoot('build', 'logs');
/** Where cmake-js builds; node-gyp users get `build/Release` beside it. */
export const nativeDir = inRoot('build', 'cmake');
export const venvDir = inRoot('training', '.venv');
