/** What the types of tensors and of the Open Inference Protocol's client promise to a caller's compiler. */
import { expectTypeOf, test } from 'vitest';
import { type Datatype, dataOf, type OipClient, type OipInferAnswer, type RankdClient, type Tensor } from '../../src/client/index.js';

declare const client: OipClient;
declare const rpc: RankdClient;
declare const answer: OipInferAnswer;

test('the datatype of a tensor says what its data is', () => {
	client.infer('m', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }] });
	client.infer('m', { inputs: [{ name: 'x', datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) }] });
	client.infer('m', { inputs: [{ name: 'x', datatype: 'BYTES', shape: [2], data: ['text', Uint8Array.of(255)] }] });
	// @ts-expect-error these bytes would mean something else
	client.infer('m', { inputs: [{ name: 'x', datatype: 'FP64', shape: [1, 2], data: Float32Array.of(1, 2) }] });
	// @ts-expect-error RPC has the same tensors
	rpc.infer('m', { inputs: [{ name: 'x', datatype: 'INT64', shape: [1], data: Int32Array.of(1) }] });
	// @ts-expect-error no such type
	client.infer('m', { inputs: [{ name: 'x', datatype: 'FP8', shape: [1], data: Uint8Array.of(1) }] });
});

test('an output is read by its datatype', () => {
	for (const output of answer.outputs) {
		if (output.datatype === 'INT64') expectTypeOf(output.data).toEqualTypeOf<BigInt64Array<ArrayBufferLike>>();
		if (output.datatype === 'FP16') expectTypeOf(output.data).toEqualTypeOf<Uint16Array<ArrayBufferLike>>();
		if (output.datatype === 'BYTES') expectTypeOf(output.data).toEqualTypeOf<readonly (string | Uint8Array)[]>();
	}
	expectTypeOf(dataOf(answer, 'y', 'FP32')).toEqualTypeOf<Float32Array<ArrayBufferLike>>();
	expectTypeOf(dataOf(answer, 'y', 'BOOL')).toEqualTypeOf<Uint8Array<ArrayBufferLike>>();
	// @ts-expect-error no such type
	dataOf(answer, 'y', 'FLOAT');
});

test('answers of RPC are read in the same way', async () => {
	expectTypeOf(dataOf(await rpc.infer('m', { inputs: [] }), 'y', 'INT8')).toEqualTypeOf<Int8Array<ArrayBufferLike>>();
});

test('there are fourteen datatypes', () => {
	expectTypeOf<'BF16' | 'BYTES'>().toExtend<Datatype>();
	expectTypeOf<Tensor['datatype']>().toEqualTypeOf<Datatype>();
});

test('outputs are asked for by name, or with what is wanted of them', () => {
	client.infer('m', { inputs: [], outputs: ['y', { name: 'z', classification: 3 }] });
	// @ts-expect-error of a number
	client.infer('m', { inputs: [], outputs: [{ name: 'z', classification: '3' }] });
});
