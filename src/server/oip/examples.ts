/** Bodies that `/v2/docs` shows. */

const counting = Array.from({ length: 16 }, (_, at) => at);

/** For Triton's first example: two rows of 16 integers, answered with their sum and difference. */
export const inferExample = {
	id: 'a-1',
	inputs: [
		{ name: 'INPUT0', shape: [1, 16], datatype: 'INT32', data: counting },
		{ name: 'INPUT1', shape: [1, 16], datatype: 'INT32', data: counting.map(() => 1) },
	],
	outputs: [{ name: 'OUTPUT0' }],
};
