/** The listen sockets of one app. */
import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { EngineError } from '../errors.js';

export class Listener {
	readonly #app: TemplatedApp;
	readonly #sockets: us_listen_socket[] = [];

	constructor(app: TemplatedApp) {
		this.#app = app;
	}

	/** Shares the port with whoever listens on it already: probe it before. @returns the port */
	async listen(host: string, port: number): Promise<number> {
		return uWS.us_socket_local_port(await this.#taken(`${host}:${port}`, (taken) => this.#app.listen(host, port, taken)));
	}

	/** Takes the path from whoever listens on it: probe it before. */
	async listenUnix(path: string): Promise<void> {
		await this.#taken(path, (taken) => this.#app.listen_unix(taken, path));
	}

	close(): void {
		for (const socket of this.#sockets.splice(0)) uWS.us_listen_socket_close(socket);
	}

	/** uWebSockets hands a listen socket, or false, to a callback. */
	#taken(where: string, listen: (taken: (socket: us_listen_socket | false) => void) => void): Promise<us_listen_socket> {
		return new Promise((resolve, reject) => {
			listen((socket) => {
				if (!socket) return reject(new EngineError('INVALID_CONFIG', `cannot listen on ${where}`));
				this.#sockets.push(socket);
				resolve(socket);
			});
		});
	}
}
