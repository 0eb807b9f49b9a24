/** Runs the server as a child that gets each signal exactly once, and ends as it ends. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** One Ctrl-C or one `kill` of a process group reaches us twice: directly, and passed on by npm. */
const ECHO_MS = 1000;

/**
 * @param args what Node runs
 * @returns the server's exit code; 128 + n when signal n ended it
 */
export function superviseServer(args) {
	const followUs = new URL('follow-parent.mjs', import.meta.url).href;
	// In a process group of its own it hears of signals from us alone.
	const server = spawn(process.execPath, ['--import', followUs, ...args], {
		stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
		detached: true,
	});
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		process.on(
			signal,
			withoutEcho(() => server.kill(signal)),
		);
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
	});
}

function withoutEcho(pass) {
	let last = Number.NEGATIVE_INFINITY;
	return () => {
		const now = performance.now();
		if (now - last < ECHO_MS) return;
		last = now;
		pass();
	};
}
