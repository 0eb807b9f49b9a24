/** Peers of the gRPC port that do not behave: no HTTP/2, frames of anything, answers left unread. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { messageType } from '../../src/protocol.js';
import { FakeEngine } from '../support/fake-engine.js';
import { withGrpc } from '../support/with-grpc.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/** Sends bytes, and goes when the server has had its turn. */
async function send(port: number, bytes: Uint8Array, turn: () => Promise<unknown>): Promise<void> {
	const socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	await once(socket, 'connect');
	await new Promise((resolve) => socket.resume().write(bytes, resolve));
	await turn();
	socket.destroy();
}

test('whatever bytes a connection brings, the thread serves on', () =>
	withGrpc(new FakeEngine(), async ({ client, port }) => {
		const bytes = fc.uint8Array({ maxLength: 300 });
		const frame = fc.tuple(fc.nat(12), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 40 })).map(([type, flags, stream, payload]) => {
			const head = Buffer.alloc(9);
			head.writeUIntBE(payload.byteLength, 0, 3);
			head.writeUInt8(type, 3);
			head.writeUInt8(flags, 4);
			head.writeUInt32BE(stream, 5);
			return Buffer.concat([head, payload]);
		});
		const frames = fc.array(frame, { maxLength: 12 }).map((all) => Buffer.concat([PREFACE, EMPTY_SETTINGS, ...all]));
		await fc.assert(
			fc.asyncProperty(fc.oneof(bytes, frames), (sent) => send(port, sent, () => client.call('ServerLive'))),
			{ numRuns: 200 },
		);
		expect(await client.call('ServerLive')).toEqual({ live: true });
	}));

const MESSAGE_HEAD_BYTES = 5;

function messageOf(request: object): Buffer {
	const type = messageType('ModelInferRequest');
	const bytes = type.encode(type.fromObject(request)).finish();
	const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
	head.writeUInt32BE(bytes.byteLength, 1);
	return Buffer.concat([head, bytes]);
}

test('a peer that leaves its answers unread is refused new work, until it reads', () => {
	const engine = new FakeEngine();
	const tensor = Buffer.alloc(100_000);
	const outputs = [{ name: 'y', datatype: 'UINT8', shape: [tensor.byteLength], parameters: { binary_data_size: tensor.byteLength } }];
	const json = Buffer.from(JSON.stringify({ model_name: 'm', model_version: '1', outputs }));
	engine.answer = () => ({ body: Buffer.concat([json, tensor]), jsonBytes: json.byteLength });
	return withGrpc(
		engine,
		async ({ port, traffic }) => {
			// Its window is closed: what has no flow control, headers and trailers, comes through.
			const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
			onTestFinished(() => session.destroy());
			await once(session, 'localSettings');
			const ask = () => {
				const headers = {
					':method': 'POST',
					':path': '/inference.GRPCInferenceService/ModelInfer',
					'content-type': 'application/grpc',
					te: 'trailers',
				};
				const call = session.request(headers);
				call.end(messageOf({ model_name: 'm' }));
				return call;
			};
			const unread = ask();
			await vi.waitUntil(() => traffic.read('backlogBytes') > tensor.byteLength);
			const [refused] = await once(ask().resume(), 'response');
			expect(refused).toMatchObject({ 'grpc-status': '14', 'rankd-code': 'OVERLOADED', 'grpc-retry-pushback-ms': '100' });
			session.settings({ initialWindowSize: 1_000_000 });
			await once(unread.resume(), 'close');
			await vi.waitUntil(() => traffic.read('backlogBytes') === 0);
			const [taken] = await once(ask().resume(), 'trailers');
			expect(taken).toMatchObject({ 'grpc-status': '0' });
		},
		{ maxBackpressureBytes: 64 * 1024 },
	);
});
