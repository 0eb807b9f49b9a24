/** An engine that gives every infer request its own tensors back, and refusals as the engine writes them. */
import type { CodeName } from '../../src/errors.js';
import { type FakeAnswer, FakeEngine } from './fake-engine.js';

/** A request in the form of gRPC. */
export const ask = {
	model_name: 'm',
	id: 'a',
	inputs: [{ name: 'x', datatype: 'INT32', shape: [2], contents: { int_contents: [1, -2] } }],
};

/** As the engine answers: `y` is the bytes that came. */
function echo(tensor: Uint8Array, id = 'a'): FakeAnswer {
	const outputs = [{ name: 'y', datatype: 'INT32', shape: [tensor.byteLength / 4], parameters: { binary_data_size: tensor.byteLength } }];
	const json = Buffer.from(JSON.stringify({ id, model_name: 'm', model_version: '1', outputs }));
	return { body: Buffer.concat([json, tensor]), jsonBytes: tensor.byteLength === 0 ? 0 : json.byteLength };
}

export const refusal = (code: CodeName, message: string, retryAfterMs = 0): FakeAnswer => ({
	code,
	retryAfterMs,
	body: Buffer.from(JSON.stringify({ error: message, code, request_id: null })),
});

export function echoEngine(): FakeEngine {
	const engine = new FakeEngine();
	engine.answer = ({ bytes, jsonBytes }) => {
		const { id } = JSON.parse(bytes.subarray(0, jsonBytes).toString());
		return echo(bytes.subarray(jsonBytes), id);
	};
	return engine;
}
