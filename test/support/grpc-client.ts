/** A gRPC client of our own .proto files: calls by name, messages as objects; and one that sends bytes as they are. */
import { type CallOptions, Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { protocol } from '../../src/protocol.js';

/** Far more than a test takes. */
const DEADLINE_MS = 15_000;

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at by the test that asked
type Answer = any;

const read = (type: protobuf.Type) => (bytes: Buffer) =>
	type.toObject(type.decode(bytes), { longs: String, enums: String, defaults: true, arrays: true });
const write = (type: protobuf.Type) => (message: object) => Buffer.from(type.encode(type.fromObject(message)).finish());
const asIs = (bytes: Buffer) => bytes;

export class GrpcClient {
	readonly #client: Client;
	readonly #service: protobuf.Service;

	constructor(port: number, service = 'inference.GRPCInferenceService', options: ClientOptions = {}) {
		this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, ...options });
		this.#service = protocol().lookupService(service);
	}

	/** @throws ServiceError */
	call(name: string, message: object = {}, { metadata, ...options }: CallOptions & { metadata?: Metadata } = {}): Promise<Answer> {
		const { requestType, responseType } = this.#types(name);
		return this.#unary(name, write(requestType), read(responseType), message, metadata, options);
	}

	/** @throws ServiceError */
	callWithBytes(name: string, bytes: Buffer): Promise<Buffer> {
		return this.#unary(name, asIs, asIs, bytes, undefined, {});
	}

	/** What comes before the stream ends; `messages` that are bytes are sent as they are. */
	async stream(name: string, messages: readonly object[]): Promise<Answer[]> {
		const stream = this.openStream(name);
		for (const message of messages) stream.write(message);
		stream.end();
		const answers: Answer[] = [];
		for await (const answer of stream) answers.push(answer);
		return answers;
	}

	openStream(name: string) {
		const { requestType, responseType } = this.#types(name);
		const encode = (message: object) => (Buffer.isBuffer(message) ? message : write(requestType)(message));
		return this.#client.makeBidiStreamRequest(this.#path(name), encode, read(responseType), new Metadata(), deadline());
	}

	watch(name: string, message: object) {
		const { requestType, responseType } = this.#types(name);
		return this.#client.makeServerStreamRequest(
			this.#path(name),
			write(requestType),
			read(responseType),
			message,
			new Metadata(),
			deadline(),
		);
	}

	close(): void {
		this.#client.close();
	}

	#unary<Q, A>(
		name: string,
		encode: (message: Q) => Buffer,
		decode: (bytes: Buffer) => A,
		message: Q,
		metadata: Metadata | undefined,
		options: CallOptions,
	): Promise<A> {
		return new Promise((resolve, reject) => {
			const settle = (error: ServiceError | null, answer?: A) => (error === null ? resolve(answer as A) : reject(error));
			const withDeadline = { ...deadline(), ...options };
			this.#client.makeUnaryRequest(this.#path(name), encode, decode, message, metadata ?? new Metadata(), withDeadline, settle);
		});
	}

	#path(name: string): string {
		return `/${this.#service.fullName.slice(1)}/${name}`;
	}

	#types(name: string): { requestType: protobuf.Type; responseType: protobuf.Type } {
		const { resolvedRequestType, resolvedResponseType } = this.#service.methods[name] as protobuf.Method;
		return { requestType: resolvedRequestType as protobuf.Type, responseType: resolvedResponseType as protobuf.Type };
	}
}

const deadline = () => ({ deadline: Date.now() + DEADLINE_MS });
