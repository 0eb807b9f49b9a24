/** One server runs at a time: all the others are stopped (SIGSTOP), so that none of them takes a slice of the shared core while it idles. */
import { processTree } from './process-tree.js';
import type { Server } from './server.js';

export class Exclusive {
	readonly #servers: readonly Server[];
	#running: Server | undefined;

	/** All of them are stopped at once. */
	constructor(servers: readonly Server[]) {
		this.#servers = servers;
		for (const server of servers) signalTree(server, 'SIGSTOP');
	}

	/** Lets this server go on and stops the one before. */
	run(server: Server): void {
		if (this.#running === server) return;
		if (this.#running) signalTree(this.#running, 'SIGSTOP');
		signalTree(server, 'SIGCONT');
		this.#running = server;
	}

	/** All go on: a stopped process does not hear that it is to end. */
	release(): void {
		for (const server of this.#servers) signalTree(server, 'SIGCONT');
		this.#running = undefined;
	}
}

function signalTree({ pid }: Server, signal: 'SIGSTOP' | 'SIGCONT'): void {
	for (const member of processTree(pid)) {
		try {
			process.kill(member.pid, signal);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended by itself
		}
	}
}
