/** A streamed answer as its reader sees it: part after part, in the order they come. */
import { EngineError } from '../errors.js';
import type { Call, Caller } from './call.js';
import type { WireAnswer } from './codec.js';

/** Calls with the first `next()`, and gives the call up when its reader leaves before the end. */
export async function* partsOf(call: (caller: Caller) => Call): AsyncGenerator<WireAnswer, void, undefined> {
	const arrived: WireAnswer[] = [];
	let end: { error: EngineError | undefined } | undefined;
	let notify = () => {};
	const called = call({
		part(body) {
			arrived.push(body);
			notify();
		},
		end(error) {
			end = { error };
			notify();
		},
	});
	try {
		for (;;) {
			const part = arrived.shift();
			if (part !== undefined) yield part;
			else if (end === undefined) await new Promise<void>((resolve) => (notify = resolve));
			else if (end.error !== undefined) throw end.error;
			else return;
		}
	} finally {
		called.giveUp(new EngineError('CANCELLED', 'the reader of the stream has left'));
	}
}
