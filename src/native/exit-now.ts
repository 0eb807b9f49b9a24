/** Ends the process when `process.exit` cannot: Node aborts while a worker thread has a live uWebSockets app. */
import { loadAddon } from './load-addon.js';

export const exitNow = (code: number): never => loadAddon().exitNow(code);
