/** Processors and memory of the whole machine, under the names that dashboards of Triton's users ask for. */
import { readFileSync } from 'node:fs';
import type { Exposition } from './exposition.js';

/** Ticks of all processors together, since the machine started. */
interface CpuTicks {
	busy: number;
	total: number;
}

/** Absent where the kernel does not tell. */
export function showMachine(page: Exposition, folder = '/proc'): void {
	const memory = page.once(() => readMemory(`${folder}/meminfo`));
	const cpu = new CpuShare(`${folder}/stat`);
	page.gauge('nv_cpu_utilization', 'share of all processors that was busy since the last scrape, 0 to 1', () => single(cpu.next()));
	page.gauge('nv_cpu_memory_total_bytes', 'memory of the machine', () => single(memory()?.totalBytes));
	page.gauge('nv_cpu_memory_used_bytes', 'what of it no program could have now', () => single(memory()?.usedBytes));
}

const single = (value: number | undefined): [Record<string, string>, number][] => (value === undefined ? [] : [[{}, value]]);

class CpuShare {
	readonly #file: string;
	#last: CpuTicks | undefined;

	constructor(file: string) {
		this.#file = file;
		this.#last = readTicks(file);
	}

	/** Since it was asked before. */
	next(): number | undefined {
		const now = readTicks(this.#file);
		const before = this.#last;
		this.#last = now;
		if (now === undefined || before === undefined) return undefined;
		return now.total > before.total ? (now.busy - before.busy) / (now.total - before.total) : 0;
	}
}

/** `cpu user nice system idle iowait irq softirq steal …`; the guests behind them are in user and nice already. */
function readTicks(file: string): CpuTicks | undefined {
	const line = /^cpu +(.*)$/m.exec(readText(file))?.[1];
	if (line === undefined) return undefined;
	const ticks = line.split(' ').slice(0, 8).map(Number);
	const total = ticks.reduce((sum, each) => sum + each, 0);
	const [, , , idle = 0, waiting = 0] = ticks;
	return { busy: total - idle - waiting, total };
}

function readMemory(file: string): { totalBytes: number; usedBytes: number } | undefined {
	const text = readText(file);
	const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
	const totalBytes = bytes('MemTotal');
	const usedBytes = totalBytes - bytes('MemAvailable');
	return Number.isNaN(usedBytes) ? undefined : { totalBytes, usedBytes };
}

function readText(file: string): string {
	try {
		return readFileSync(file, 'latin1');
	} catch {
		return '';
	}
}
