/** Starts the compiled echo server. */
import { inRoot } from '../harness/paths.js';
import type { Bench } from '../harness/question.js';
import { answers, type Listening, startListening } from '../harness/rankd.js';
import type { Server } from '../harness/server.js';

export function startEcho(bench: Bench): Promise<Server & Listening> {
	const program = inRoot('build', 'bench', 'js', 'bench', 'servers', 'echo.js');
	return startListening(
		bench,
		({ port, unix }) => [process.execPath, program, '--port', String(port), '--unix-socket', unix.slice('unix:'.length)],
		{ name: 'the echo server', isReady: ({ base }) => answers(`${base}/v2/health/live`) },
	);
}
