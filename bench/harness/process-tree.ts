/** A process and everything it started, as /proc tells: CPU time, memory, and who is still alive. */
import { readdirSync, readFileSync } from 'node:fs';
import { Unmeasurable } from './failures.js';

/** Linux has reported times in hundredths of a second to user space for as long as it runs on x86 and Arm. */
const TICKS_PER_SECOND = 100;

export interface ProcessInfo {
	pid: number;
	parent: number;
	/** Ticks after boot: pid and start time together name a process for good. */
	startedAt: number;
	/** Of the process and of the children it has waited for. */
	cpuSeconds: number;
}

/** The process and its living descendants; empty when it has ended. */
export function processTree(pid: number): ProcessInfo[] {
	const all = readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map((name) => readStat(Number(name)))
		.filter((info) => info !== undefined);
	const tree = all.filter((info) => info.pid === pid);
	for (const member of tree) tree.push(...all.filter((info) => info.parent === member.pid));
	return tree;
}

export const cpuSecondsOf = (tree: readonly ProcessInfo[]): number => tree.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

/** Resident bytes; pages that processes share are counted in each. */
export function residentBytesOf(tree: readonly ProcessInfo[]): number {
	return tree.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
}

/** Whether this very process still runs, and not a later one of the same id. A zombie has ended. */
export function isAlive({ pid, startedAt }: Pick<ProcessInfo, 'pid' | 'startedAt'>): boolean {
	return readStat(pid)?.startedAt === startedAt;
}

/** Fields of proc(5) `stat`; the name in parentheses may hold spaces and parentheses itself. */
function readStat(pid: number): ProcessInfo | undefined {
	const text = readText(`/proc/${pid}/stat`);
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	const state = fields[0];
	if (text === '' || state === 'Z' || state === 'X') return undefined;
	const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
	return { pid, parent: Number(fields[1]), startedAt: Number(fields[19]), cpuSeconds: ticks / TICKS_PER_SECOND };
}

function residentBytes(pid: number): number {
	return Number(readText(`/proc/${pid}/status`).match(/^VmRSS:\s*(\d+) kB/m)?.[1] ?? 0) * 1024;
}

/** None for a process that has just ended. */
function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** '' for a process that has just ended. */
function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

/**
 * CPU seconds of a process and its descendants to the nanosecond, from the scheduler's own counts of the threads that live now; threads that have
 * ended are not in it. Only differences between two moments mean something. @throws Unmeasurable on a kernel that does not count
 */
export function threadSeconds(pid: number): number {
	const counts = processTree(pid).flatMap((member) =>
		namesIn(`/proc/${member.pid}/task`).map((thread) => readText(`/proc/${member.pid}/task/${thread}/schedstat`)),
	);
	const nanoseconds = counts.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
	if (nanoseconds === 0) throw new Unmeasurable('this kernel does not count the CPU time of threads (CONFIG_SCHED_INFO)');
	return nanoseconds / 1e9;
}
