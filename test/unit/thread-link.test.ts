/** Calls between threads: answered by name, errors keep their code, and nobody waits for a thread that has gone. */
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { EngineError } from '../../src/errors.js';
import { ThreadLink } from '../../src/server/thread-link.js';

type Left = { double(n: number): number };
type Right = { fail(code: string): Promise<never>; wait(_: undefined): Promise<never> };

function newLinks() {
	const { port1, port2 } = new MessageChannel();
	onTestFinished(() => port1.close());
	const toRight = new ThreadLink<Right>(port1, { double: (n: number) => 2 * n });
	const toLeft = new ThreadLink<Left>(port2, {
		fail: async (code: string) => {
			throw code === 'bug' ? new TypeError('x is undefined') : new EngineError('INVALID_CONFIG', `not ${code}`);
		},
		wait: () => new Promise(() => {}),
	});
	return { toRight, toLeft };
}

test('both sides call each other, and each call gets its own answer', async () => {
	const { toLeft } = newLinks();
	expect(await Promise.all([1, 2, 3].map((n) => toLeft.call('double', n)))).toEqual([2, 4, 6]);
});

test('an error keeps its code; what is no error of ours is a bug', async () => {
	const { toRight } = newLinks();
	await expect(toRight.call('fail', 'that')).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: 'not that' });
	await expect(toRight.call('fail', 'bug')).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('x is undefined') });
});

test('when the other side has gone, open calls and later ones fail', async () => {
	const { toRight } = newLinks();
	const open = toRight.call('wait', undefined);
	toRight.end(new EngineError('INTERNAL', 'it has ended'));
	await expect(open).rejects.toThrow('it has ended');
	await expect(toRight.call('wait', undefined)).rejects.toThrow('it has ended');
});
