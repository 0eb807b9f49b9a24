/** Our .proto files parse, and messages keep the protocol's names. */
import { expect, test } from 'vitest';
import { messageType, protocol } from '../../src/protocol.js';

test('the service has every call that clients of the protocol make', () => {
	const calls = protocol().lookupService('inference.GRPCInferenceService').methods;
	expect(Object.keys(calls)).toHaveLength(20);
	expect(calls['ModelStreamInfer']).toMatchObject({ requestStream: true, responseStream: true });
	expect(calls['ModelConfig']?.resolvedRequestType?.fullName).toBe('.inference.ModelConfigRequest');
});

test('a message survives its bytes, with fields in snake_case', () => {
	const type = messageType('ModelConfig');
	const config = { name: 'simple', max_batch_size: 8, input: [{ name: 'INPUT0', data_type: 8, dims: [16] }] };
	const read = type.toObject(type.decode(type.encode(type.fromObject(config)).finish()), { enums: String, longs: Number });
	expect(read).toEqual({ ...config, input: [{ name: 'INPUT0', data_type: 'TYPE_INT32', dims: [16] }] });
});
