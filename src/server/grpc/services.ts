/** The services of our .proto files on a grpc-js server: messages are decoded, handlers answer, what they throw becomes a status. */
import type { Server, ServerDuplexStream, ServerUnaryCall, ServerWritableStream, sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { EngineError } from '../../errors.js';
import { protocol } from '../../protocol.js';
import type { GrpcContext } from './context.js';
import { checkFieldCount } from './message-fields.js';
import { statusOf } from './status.js';

/** Of a message that is decoded whole: an object per field takes a hundred times what an empty field took. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Of a message that may be larger. */
const MAX_FIELDS = 1024;

type Unary = ServerUnaryCall<Buffer, Uint8Array>;
type Checked = Pick<Unary, 'metadata'>;

/** Whoever may not call is refused by throwing. */
export type Check = (method: string, call: Checked) => void;

export class ServiceRegistrar {
	readonly #server: Server;
	readonly #service: protobuf.Service;
	readonly #context: GrpcContext;
	readonly #check: Check;

	/** @param service its full name */
	constructor(server: Server, service: string, context: GrpcContext, check: Check) {
		this.#server = server;
		this.#service = protocol().lookupService(service);
		this.#context = context;
		this.#check = check;
	}

	/**
	 * A method whose messages are objects, their fields named as in the .proto file.
	 * @param bringsFiles its message may be large, and has few fields then
	 */
	unary<Q>(name: string, answer: (request: Q) => object | Promise<object>, { bringsFiles = false } = {}): void {
		this.#register(name, 'unary', (call: Unary, callback: sendUnaryData<Uint8Array>) => {
			this.#context.traffic.add('grpcCalls');
			const answered = async () => answer(this.#opened<Q>(name, call, bringsFiles));
			answered().then(
				(value) => callback(null, this.#encoded(name, value)),
				(thrown) => callback(this.#refusal(thrown)),
			);
		});
	}

	/** The same with any number of answers. */
	serverStream<Q>(name: string, answer: (request: Q, call: ServerWritableStream<Buffer, object>) => void): void {
		this.#register(name, 'serverStream', (call: ServerWritableStream<Buffer, object>) => {
			this.#context.traffic.add('grpcCalls');
			try {
				answer(this.#opened<Q>(name, call), call);
			} catch (thrown) {
				call.emit('error', this.#refusal(thrown));
			}
		});
	}

	/** A method that reads and writes bytes of its own. */
	rawUnary(name: string, answer: (call: Unary, callback: sendUnaryData<Uint8Array>) => void): void {
		this.#register(name, 'unary', (call: Unary, callback: sendUnaryData<Uint8Array>) => {
			try {
				this.#check(name, call);
			} catch (thrown) {
				return callback(this.#refusal(thrown));
			}
			answer(call, callback);
		});
	}

	rawStream(name: string, answer: (call: ServerDuplexStream<Buffer, Uint8Array>) => void): void {
		this.#register(name, 'bidi', (call: ServerDuplexStream<Buffer, Uint8Array>) => {
			try {
				this.#check(name, call);
			} catch (thrown) {
				return call.emit('error', this.#refusal(thrown));
			}
			return answer(call);
		});
	}

	#register(name: string, type: 'unary' | 'serverStream' | 'bidi', handler: unknown): void {
		const { fullName } = this.#service;
		const serialize = (value: object) => (value instanceof Uint8Array ? asBuffer(value) : this.#encoded(name, value));
		this.#server.register(`/${fullName.slice(1)}/${name}`, handler as UntypedHandleCall, serialize, (bytes) => bytes, type);
	}

	/** @throws EngineError `RESTRICTED` | `TOO_LARGE` | `LIMIT_EXCEEDED` | `INVALID_BODY` */
	#opened<Q>(name: string, call: Checked & { request: Buffer }, bringsFiles = false): Q {
		this.#check(name, call);
		checkSize(call.request, bringsFiles);
		return decoded(this.#method(name).resolvedRequestType as protobuf.Type, call.request) as Q;
	}

	#encoded(name: string, value: object): Buffer {
		const type = this.#method(name).resolvedResponseType as protobuf.Type;
		return asBuffer(type.encode(type.fromObject(value)).finish());
	}

	#method(name: string): protobuf.Method {
		return this.#service.methods[name] as protobuf.Method;
	}

	#refusal(thrown: unknown): ReturnType<typeof statusOf> {
		const error = EngineError.from(thrown);
		this.#context.traffic.addError(error.code);
		if (error.code === 'INTERNAL') this.#context.log.error({ err: error }, 'a gRPC call failed');
		return statusOf(error);
	}
}

function checkSize(bytes: Buffer, bringsFiles: boolean): void {
	if (bytes.byteLength <= MAX_MESSAGE_BYTES) return;
	if (bringsFiles) return checkFieldCount(bytes, MAX_FIELDS);
	throw new EngineError('TOO_LARGE', `the message has ${bytes.byteLength} bytes, at most ${MAX_MESSAGE_BYTES} are accepted`);
}

/** The whole message with its defaults: integers of 64 bits are numbers, one of a choice is absent where another was sent. */
function decoded(type: protobuf.Type, bytes: Buffer): object {
	try {
		return type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true });
	} catch (cause) {
		throw new EngineError('INVALID_BODY', `the message is no ${type.name}: ${(cause as Error).message}`, { cause });
	}
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);
