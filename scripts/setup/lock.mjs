/** One set-up at a time per checkout: `npm start` and `npm test` may be started together. */
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `body` while holding the lock file; waits for a live holder and takes over from a dead one.
 * @param onWait called once with the holder's process id when there is one to wait for
 */
export async function withLock(file, body, onWait) {
	mkdirSync(dirname(file), { recursive: true });
	for (let told = false; !tryAcquire(file); told = true) {
		const holder = holderOf(file);
		if (holder !== undefined && !isAlive(holder)) removeStale(file);
		else if (!told) onWait(holder);
		await sleep(200);
	}
	try {
		return await body();
	} finally {
		rmSync(file, { force: true });
	}
}

/** Links a finished file into place, so that nobody ever reads a lock without its owner. */
function tryAcquire(file) {
	const mine = `${file}.${process.pid}`;
	writeFileSync(mine, String(process.pid));
	try {
		linkSync(mine, file);
		return true;
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		return false;
	} finally {
		rmSync(mine);
	}
}

function holderOf(file) {
	try {
		return Number(readFileSync(file, 'utf8'));
	} catch (error) {
		if (error.code !== 'ENOENT') throw error;
		return undefined;
	}
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === 'EPERM';
	}
}

/** Two waiters may see the same dead holder; the folder lets only one of them look again and remove. */
function removeStale(file) {
	const guard = `${file}.takeover`;
	try {
		mkdirSync(guard);
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		return;
	}
	try {
		const holder = holderOf(file);
		if (holder !== undefined && !isAlive(holder)) rmSync(file);
	} finally {
		rmdirSync(guard);
	}
}
