/** Binary RPC over WebSocket at `/rpc`: frames in, frames out, many in flight. */
import uWS, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_socket_context_t, type WebSocket } from 'uWebSockets.js';
import { EngineError } from '../errors.js';
import type { Context } from './context.js';
import { refuse } from './pages.js';
import { RpcConnection, type SocketData } from './rpc-connection.js';

const MiB = 1024 * 1024;

/** The open connections of one app. */
export class RpcServer {
	readonly #context: Context;
	readonly #connections = new Set<RpcConnection>();

	constructor(context: Context) {
		this.#context = context;
	}

	serve(app: TemplatedApp): void {
		app.ws<SocketData>('/rpc', {
			compression: uWS.DISABLED,
			// Above our own limit, so that too large a frame gets our error and not a bare close.
			maxPayloadLength: Math.max(16 * MiB, 2 * this.#context.config.maxFrameBytes),
			maxBackpressure: this.#context.config.maxBackpressureBytes,
			idleTimeout: this.#context.config.idleTimeoutS,
			sendPingsAutomatically: true,
			upgrade: (response, request, socketContext) => this.#upgrade(response, request, socketContext),
			open: (socket) => this.#open(socket),
			message: (socket, message, isBinary) => {
				this.#context.traffic.add('rpcFrames');
				this.#context.traffic.add('receivedBytes', message.byteLength);
				socket.getUserData().connection?.take(message, isBinary);
			},
			drain: (socket) => socket.getUserData().connection?.drained(),
			close: (socket) => this.#close(socket),
		});
		app.any('/rpc', (response) =>
			refuse(this.#context, response, new EngineError('INVALID_ARGUMENT', '/rpc is a WebSocket: connect with ws://')),
		);
	}

	/** Tells every peer to reconnect elsewhere. */
	endAll(code: number, reason: string): void {
		for (const connection of this.#connections) connection.end(code, reason);
	}

	#upgrade(response: HttpResponse, request: HttpRequest, socketContext: us_socket_context_t): void {
		if (this.#context.isDraining) return refuse(this.#context, response, new EngineError('DRAINING', 'this server is shutting down'));
		const limit = this.#context.config.maxConnections;
		if (limit > 0 && this.#context.rpcConnections() >= limit) {
			return refuse(this.#context, response, new EngineError('OVERLOADED', `${limit} RPC connections are open, no more are accepted`));
		}
		const header = (name: string) => request.getHeader(`sec-websocket-${name}`);
		response.upgrade<SocketData>({}, header('key'), header('protocol'), header('extensions'), socketContext);
	}

	#open(socket: WebSocket<SocketData>): void {
		const connection = new RpcConnection(this.#context, socket);
		socket.getUserData().connection = connection;
		this.#connections.add(connection);
		// uWebSockets never tells that the HTTP connection behind it has ended.
		this.#context.traffic.add('httpConnections', -1);
		this.#context.traffic.add('rpcConnections');
	}

	#close(socket: WebSocket<SocketData>): void {
		const { connection } = socket.getUserData();
		if (connection === undefined) return;
		connection.closed();
		this.#connections.delete(connection);
		this.#context.traffic.add('rpcConnections', -1);
	}
}
