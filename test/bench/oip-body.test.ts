/** Bodies of the Open Inference Protocol: the JSON says what its header claims, and the bytes follow. */
import { expect, test } from 'vitest';
import { oipBinaryBody, oipJsonLength } from '../../bench/harness/oip-body.js';

const bodyOf = (x: number[], id: string) => ({
	inputs: [
		{ name: id, datatype: 'FP32', shape: [1, x.length], data: Buffer.from(new Float32Array(x).buffer) },
		{ name: 'row_user', datatype: 'INT64', shape: [1], data: Buffer.alloc(8) },
	],
});

test('the JSON names every tensor and its bytes, which stand behind it in the same order', () => {
	const body = bodyOf([1, 2.5], 'x');
	const bytes = oipBinaryBody(body);
	const length = oipJsonLength([body]);
	const { inputs, parameters } = JSON.parse(bytes.subarray(0, length).toString());
	expect(inputs).toEqual([
		{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
		{ name: 'row_user', datatype: 'INT64', shape: [1], parameters: { binary_data_size: 8 } },
	]);
	expect(parameters).toEqual({ binary_data_output: true });
	expect(bytes.subarray(length)).toEqual(Buffer.concat(body.inputs.map(({ data }) => data)));
});

test('bodies whose JSON differs in length cannot share their headers', () => {
	expect(oipJsonLength([bodyOf([1], 'x'), bodyOf([2], 'y')])).toBe(oipJsonLength([bodyOf([1], 'x')]));
	expect(() => oipJsonLength([bodyOf([1], 'x'), bodyOf([1], 'longer')])).toThrow('must have one length');
});
