/** The app of the main thread: metrics, health and pages on a port of their own, away from the traffic. It takes no work. */
import uWS, { type TemplatedApp } from 'uWebSockets.js';
import type { PageContext } from './context.js';
import { serveHealth } from './health.js';
import { Listener } from './listener.js';
import { serveNotFound, servePages } from './pages.js';

export class AdminApp {
	readonly #app: TemplatedApp = uWS.App();
	readonly #listener = new Listener(this.#app);
	#isClosed = false;

	constructor(context: PageContext) {
		serveHealth(this.#app, context);
		servePages(this.#app, context);
		serveNotFound(this.#app, context);
	}

	listen(host: string, port: number): Promise<number> {
		return this.#listener.listen(host, port);
	}

	/** May be called twice. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#app.close();
	}
}
