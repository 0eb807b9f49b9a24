/** How busy cores are, whoever keeps them so, as /proc/stat tells. */
import { readFileSync } from 'node:fs';
import { parseCpuList } from './pin.js';

/** Seconds since boot, summed over some cores. */
export interface CoreTime {
	/** Anything but idle; what a hypervisor kept from us included. */
	busy: number;
	/** Of these, interrupts: some kernels charge a socket's work here, others charge it to the process that caused it. */
	interrupts: number;
}

const TICKS_PER_SECOND = 100;

export function coreTime(cores: readonly number[]): CoreTime {
	const lines = readFileSync('/proc/stat', 'utf8').split('\n');
	const times = cores.map((core) => timesOf(lines.find((line) => line.startsWith(`cpu${core} `)) ?? ''));
	const sum = (value: (time: CoreTime) => number) => times.reduce((total, time) => total + value(time), 0);
	return { busy: sum(({ busy }) => busy), interrupts: sum(({ interrupts }) => interrupts) };
}

/** user nice system idle iowait irq softirq steal, in hundredths of a second. */
function timesOf(line: string): CoreTime {
	const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
		.split(/\s+/)
		.slice(1)
		.map((text) => Number(text) / TICKS_PER_SECOND);
	return { busy: user + nice + system + irq + softirq + steal, interrupts: irq + softirq };
}

/** The cores that a process may use. */
export function coresOf(pid: number): number[] {
	const list = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1];
	return parseCpuList(list ?? '0');
}

/** A server and its cores at one moment. */
export interface Reading {
	readonly atMs: number;
	readonly cpuSeconds: number;
	readonly cores: CoreTime;
}

export const readingOf = (cpuSeconds: number, cores: readonly number[]): Reading => ({
	atMs: performance.now(),
	cpuSeconds,
	cores: coreTime(cores),
});

/**
 * Who kept the cores busy between two moments, in cores: 1 = one core was full all the time.
 * The server caused its own CPU time and the interrupts of its cores, which serve its sockets. Kernels that charge interrupts to the
 * process would count them twice: never more than the cores were busy.
 */
export function shareBetween(before: Reading, after: Reading): { server: number; others: number } {
	const seconds = (after.atMs - before.atMs) / 1000;
	const busy = after.cores.busy - before.cores.busy;
	const interrupts = after.cores.interrupts - before.cores.interrupts;
	const server = Math.min(busy, after.cpuSeconds - before.cpuSeconds + interrupts);
	return { server: server / seconds, others: (busy - server) / seconds };
}
