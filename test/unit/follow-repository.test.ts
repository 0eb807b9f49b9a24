/** Real folders and the kernel's own events: what makes the repository be looked at. */
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { followRepository } from '../../src/control/follow-repository.js';
import { FolderWatch } from '../../src/control/watch-folders.js';
import { memoryLog } from '../support/memory-log.js';
import { publish } from '../support/publish.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const HOUR_S = 3600;

async function follow(modelControl: 'watch' | 'poll' | 'explicit' | 'none', pollIntervalS = HOUR_S) {
	const root = temporaryFolder();
	publish(root, 'films', '1.0.0');
	let looks = 0;
	const unsettled: string[] = [];
	const sync = async () => {
		looks++;
		return { loaded: [], unloaded: [], aliases: {}, problems: [], unsettled };
	};
	const { log, lines } = memoryLog();
	const config = { modelRepository: [root], modelControl, pollIntervalS };
	const stop = followRepository({ repository: { sync }, config, log });
	onTestFinished(stop);
	/** Waits until the folder has been looked at after `change`. */
	const seen = async (change: () => void) => {
		const before = looks;
		change();
		await vi.waitUntil(() => looks > before, { timeout: 5000 });
	};
	return { root, lines, stop, seen, unsettled, looks: () => looks };
}

test('whatever a publisher does is seen at once', async () => {
	const { root, seen } = await follow('watch');
	await seen(() => {});
	await seen(() => publish(root, 'films', '2.0.0'));
	await seen(() => writeFileSync(join(root, 'films/aliases.json'), '{"champion": "1.0.0"}'));
	await seen(() => utimesSync(join(root, 'films/2.0.0/manifest.json'), new Date(), new Date(0)));
	await seen(() => rmSync(join(root, 'films/1.0.0'), { recursive: true }));
	await seen(() => publish(root, 'books', '1.0.0'));
	await seen(() => publish(root, 'books', '1.1.0'));
});

test('a folder copied in place is seen when its manifest has come', async () => {
	const { root, seen } = await follow('watch');
	await seen(() => mkdirSync(join(root, 'films/3.0.0')));
	await seen(() => writeFileSync(join(root, 'films/3.0.0/manifest.json'), '{}'));
});

test('a version that is a link is followed to where it leads, also when it leads elsewhere', async () => {
	const { root, seen } = await follow('watch');
	const elsewhere = temporaryFolder({ 'a/manifest.json': '{}', 'b/manifest.json': '{}' });
	await seen(() => symlinkSync(join(elsewhere, 'a'), join(root, 'films/3.0.0')));
	symlinkSync(join(elsewhere, 'b'), join(root, 'films/.next'));
	await seen(() => renameSync(join(root, 'films/.next'), join(root, 'films/3.0.0')));
	await seen(() => utimesSync(join(elsewhere, 'b/manifest.json'), new Date(), new Date(0)));
});

test('polling looks again and again, and a repository that fails is looked at again', async () => {
	const { looks } = await follow('poll', 0.01);
	await vi.waitUntil(() => looks() > 3, { timeout: 5000 });
	let failures = 0;
	const sync = () => {
		failures++;
		return Promise.reject(new Error('not readable'));
	};
	const config = { modelRepository: ['/no/such/folder'], modelControl: 'watch' as const, pollIntervalS: 0.01 };
	onTestFinished(followRepository({ repository: { sync }, config, log: memoryLog().log }));
	await vi.waitUntil(() => failures > 3, { timeout: 5000 });
});

test.each(['explicit', 'none'] as const)('control %s looks at nothing by itself', async (control) => {
	const { root, looks } = await follow(control, 0.01);
	const watching = await follow('watch');
	publish(root, 'films', '2.0.0');
	await watching.seen(() => publish(watching.root, 'films', '2.0.0'));
	expect(looks()).toBe(0);
});

test('what somebody is writing is looked at until it rests', async () => {
	const { root, unsettled, seen } = await follow('poll');
	unsettled.push(join(root, 'films'));
	await seen(() => {});
	await seen(() => {});
	await seen(() => {});
});

test('stopped, it looks no more', async () => {
	const { root, seen, stop, looks } = await follow('watch');
	await seen(() => {});
	stop();
	const before = looks();
	const watching = await follow('watch');
	publish(root, 'films', '2.0.0');
	await watching.seen(() => publish(watching.root, 'films', '2.0.0'));
	expect(looks()).toBe(before);
});

test('without watches left it says so and goes on by polling', async () => {
	const refuse = vi.spyOn(FolderWatch.prototype, 'watch').mockImplementation(function (this: FolderWatch) {
		this.fail(Object.assign(new Error('no space left on device, watch'), { code: 'ENOSPC' }));
	});
	onTestFinished(() => refuse.mockRestore());
	const { lines, looks } = await follow('watch', 0.01);
	await vi.waitUntil(() => looks() > 3, { timeout: 5000 });
	expect(lines).toMatchObject([
		{ level: 'warn', msg: 'the repository cannot be watched, so it is looked at every 0.01 s', err: { code: 'ENOSPC' } },
	]);
	expect(refuse).toHaveBeenCalledTimes(1);
});

test('folders are watched once, and those that have gone no more', () => {
	const root = temporaryFolder({ 'a/': '', 'b/': '' });
	const watch = new FolderWatch(
		() => {},
		() => {},
	);
	onTestFinished(() => watch.close());
	watch.watch([root, join(root, 'a'), join(root, 'b')]);
	watch.watch([root, join(root, 'a'), join(root, 'c')]);
	expect(watch.size).toBe(2);
});
