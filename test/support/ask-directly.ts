/** The main thread's answers without a second thread; what passes between the two is cloned as on its way. */
import type { AskMain, MainCalls } from '../../src/server/thread-calls.js';

export const askDirectly =
	(calls: MainCalls): AskMain =>
	async (name, argument) =>
		structuredClone(await calls[name](structuredClone(argument) as never)) as never;
