/** The protobuf messages of Open Inference Protocol v2, read from the package's own .proto files; names stay in snake_case. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const inProtocol = (file: string): string => fileURLToPath(new URL(`../protocol/${file}`, import.meta.url));

let loaded: protobuf.Root | undefined;

/** Everything that `inference.proto`, what it imports, and `health.proto` describe; read when it is first asked for. */
export function protocol(): protobuf.Root {
	loaded ??= readProtocol();
	return loaded;
}

function readProtocol(): protobuf.Root {
	const root = new protobuf.Root().loadSync([inProtocol('inference.proto'), inProtocol('health.proto')], { keepCase: true });
	root.resolveAll();
	return root;
}

/** A message of the package `inference`, for example `ModelConfig`. */
export const messageType = (name: string): protobuf.Type => protocol().lookupType(`inference.${name}`);
