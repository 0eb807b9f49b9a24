/** Puts what is measured before whatever else runs on its core, where the machine allows that: a neighbour's 4 ms is a p99. */
import { existsSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const NICE = -10;

/** @param pid a process that leads a session of its own and has no threads yet; without the right to do so nothing changes */
export function putFirst(pid: number | undefined): void {
	if (pid === undefined) return;
	const autogroup = `/proc/${pid}/autogroup`;
	try {
		setPriority(pid, NICE);
		// Where the kernel groups sessions it weighs these, not their processes.
		if (existsSync(autogroup)) writeFileSync(autogroup, String(NICE));
	} catch {
		// An ordinary user may not, or the process has ended already.
	}
}
