/** Reads a configuration that a load brings as JSON in place of `config.pbtxt`; numbers may be written as text. */
import protojson from 'protobufjs/ext/protojson.js';
import { EngineError } from '../../errors.js';
import { messageType } from '../../protocol.js';
import { configOf, type ModelConfig } from './model-config.js';

/** @throws EngineError `INVALID_ARGUMENT` naming the field */
export function readConfigJson(text: string): ModelConfig {
	try {
		const json: unknown = JSON.parse(text);
		const config = configOf(protojson.fromJson(messageType('ModelConfig'), json));
		return saysBound(json) ? { max_batch_size: 0, ...config } : config;
	} catch (cause) {
		const message = (cause as Error).message.replaceAll('.inference.', '').slice(0, 300);
		throw new EngineError('INVALID_ARGUMENT', `failed to load: the configuration cannot be read: ${message}`, { cause });
	}
}

/** The library reads a 0 as nothing said, but a bound of 0 is a decision. */
const saysBound = (json: unknown): boolean => ['max_batch_size', 'maxBatchSize'].some((key) => Object.hasOwn(Object(json), key));
