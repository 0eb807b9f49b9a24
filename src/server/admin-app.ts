/** The app of the main thread: metrics, health, pages and the repository's administration on a port of their own, away from the traffic. */
import uWS, { type TemplatedApp } from 'uWebSockets.js';
import type { PageContext } from './context.js';
import { serveHealth } from './health.js';
import { Listener } from './listener.js';
import { serveNotFound, servePages } from './pages.js';
import { type AdminRepository, repositoryLinks, serveRepository } from './repository-routes.js';

export class AdminApp {
	readonly #app: TemplatedApp = uWS.App();
	readonly #listener = new Listener(this.#app);
	#isClosed = false;

	constructor(context: PageContext, repository: AdminRepository) {
		serveHealth(this.#app, context);
		serveRepository(this.#app, context, repository);
		servePages(this.#app, context, repositoryLinks);
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
