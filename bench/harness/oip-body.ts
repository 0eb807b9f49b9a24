/** Bodies of `infer` as the Open Inference Protocol has them over HTTP: all JSON, or JSON with the tensors' bytes behind it. */
import { jsonBody } from './corpus.js';

/** As `infer` has it in every protocol; of a binary one `data` holds bytes. */
interface InferBody {
	inputs: readonly { name: string; datatype: string; shape: readonly number[]; data: Uint8Array }[];
}

/** How many bytes of a body are JSON: a caller says so beside it. */
export const LENGTH_HEADER = 'inference-header-content-length';

/** Every output is asked for in bytes too. */
export function oipBinaryBody(body: unknown): Buffer {
	const { inputs } = body as InferBody;
	return Buffer.concat([headOf(inputs), ...inputs.map(({ data }) => data)]);
}

/** The generator sends one set of headers with all bodies. @throws Error when their JSON differs in length */
export function oipJsonLength(bodies: readonly unknown[]): number {
	const [length = 0, ...others] = new Set(bodies.map((body) => headOf((body as InferBody).inputs).byteLength));
	if (others.length > 0) throw new Error(`the JSON of binary OIP bodies must have one length, got ${[length, ...others].join(', ')}`);
	return length;
}

function headOf(inputs: InferBody['inputs']): Buffer {
	const described = inputs.map(({ data, ...input }) => ({ ...input, parameters: { binary_data_size: data.byteLength } }));
	return jsonBody({ inputs: described, parameters: { binary_data_output: true } });
}
