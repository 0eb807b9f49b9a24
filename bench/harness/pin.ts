/** Which cores this process may use, and how a command is kept to some of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { UsageError } from './failures.js';

export interface Pinning {
	/** Every core that this process was granted. */
	readonly allowed: readonly number[];
	readonly server: number;
	readonly load: number;
	/** What a reader of the numbers must know. */
	readonly notes: readonly string[];
	/** `command` on `cores`; unchanged where cores cannot be chosen. */
	pinned(command: readonly string[], cores: readonly number[]): string[];
}

interface Machine {
	allowed: readonly number[];
	hasTaskset: boolean;
}

/**
 * @param wanted `[server, load]` from `--cores`; default: the first two cores granted
 * @throws UsageError for a core that this process was not granted
 */
export function choosePinning(wanted?: readonly [number, number], machine: Machine = thisMachine()): Pinning {
	const { allowed, hasTaskset } = machine;
	const [server = 0, load = server] = wanted ?? allowed;
	for (const core of [server, load]) {
		if (!allowed.includes(core)) throw new UsageError(`--cores names core ${core}; this process may use ${allowed.join(', ')}`);
	}
	const notes: string[] = [];
	if (!hasTaskset) notes.push('taskset is not installed: nothing was pinned, so server and generator move between cores');
	else if (server === load) notes.push(`server and generator share core ${server}: they disturb each other, and rates are too low`);
	return {
		allowed,
		server,
		load,
		notes,
		pinned: (command, cores) => (hasTaskset ? ['taskset', '-c', cores.join(','), ...command] : [...command]),
	};
}

function thisMachine(): Machine {
	const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1] ?? '0';
	return { allowed: parseCpuList(list), hasTaskset: spawnSync('taskset', ['--version']).status === 0 };
}

/** `0-2,5` as [0, 1, 2, 5]. */
export function parseCpuList(list: string): number[] {
	return list.split(',').flatMap((range) => {
		const [from = 0, to = from] = range.split('-').map(Number);
		return Array.from({ length: to - from + 1 }, (_, at) => from + at);
	});
}
