import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withLock } from '../setup/lock.mjs';

const newLock = () => join(mkdtempSync(join(tmpdir(), 'rankd-lock-')), 'setup.lock');
const nobodyWaits = () => assert.fail('nothing to wait for');

test('the lock is held while the body runs and gone afterwards', async () => {
	const file = newLock();
	assert.equal(await withLock(file, async () => existsSync(file), nobodyWaits), true);
	assert.equal(existsSync(file), false);
});

test('the lock is gone after a body that throws', async () => {
	const file = newLock();
	await assert.rejects(
		withLock(file, () => Promise.reject(new Error('no')), nobodyWaits),
		/no/,
	);
	assert.equal(existsSync(file), false);
});

test('a second holder waits for the first, and is told once for whom', async () => {
	const file = newLock();
	const order = [];
	const { promise, resolve } = withResolvers();
	const first = withLock(file, () => promise.then(() => order.push('first')), nobodyWaits);
	const second = withLock(
		file,
		async () => order.push('second'),
		(pid) => {
			order.push(pid);
			setTimeout(resolve, 300);
		},
	);
	await Promise.all([first, second]);
	assert.deepEqual(order, [process.pid, 'first', 'second']);
});

test('the lock of a process that is no more is taken over', async () => {
	const file = newLock();
	writeFileSync(file, String(spawnSync(process.execPath, ['--version']).pid));
	assert.equal(await withLock(file, async () => 'in', nobodyWaits), 'in');
});

function withResolvers() {
	let resolve;
	const promise = new Promise((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}
