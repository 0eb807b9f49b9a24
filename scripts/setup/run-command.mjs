/** Runs one tool to its end, with what it prints in a log file. */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, relative } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { root } from './paths.mjs';

const TAIL_LINES = 60;
/** Logs are read as text. */
const plain = { NO_COLOR: '1', FORCE_COLOR: undefined };

/**
 * @param command  program and arguments
 * @param log      file that receives what it prints; written anew
 * @param verbose  also shows it on the screen, through `out`
 * @returns exit code and everything printed
 * @throws SetupFailure when it cannot be started, or when SIGINT or SIGTERM asked us to stop
 */
export async function runCommand(command, { log, verbose = false, out = process.stdout, cwd = root, env = {} }) {
	mkdirSync(dirname(log), { recursive: true });
	const file = createWriteStream(log);
	file.write(`$ ${command.join(' ')}\n`);
	let output = '';
	const [program, ...args] = command;
	// A process group of its own: a signal to us ends the tool and everything it started, and does so once.
	const child = spawn(program, args, { cwd, env: { ...process.env, ...plain, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text) => {
			output += text;
			file.write(text);
			if (verbose) out.write(text);
		});
	}
	const { code, signal, received } = await ended(child, program);
	await new Promise((resolve) => file.end(resolve));
	if (received) throw new SetupFailure(`${program}: stopped by ${received}`, 128 + constants.signals[received]);
	return { code: code ?? 128 + constants.signals[signal], output, log };
}

/** The same for a step that must succeed. @throws SetupFailure with the end of its output */
export async function mustRun(command, options) {
	const result = await runCommand(command, options);
	if (result.code !== 0) throw new SetupFailure(describeFailure(command, result));
	return result;
}

export function describeFailure(command, { code, output, log }) {
	const heading = `${command.join(' ')}\nended with exit code ${code}.`;
	return `${tail(output)}\n\n${heading} All of its output: ${relative(process.cwd(), log)}`;
}

export function tail(text) {
	const lines = text.trimEnd().split('\n');
	const left = lines.length - TAIL_LINES;
	return left > 0 ? [`(${left} earlier lines left out)`, ...lines.slice(-TAIL_LINES)].join('\n') : lines.join('\n');
}

/** Waits until the tool has closed its output; passes SIGINT and SIGTERM on to its whole group meanwhile. */
function ended(child, program) {
	let received;
	const forward = (signal) => {
		received = signal;
		signalGroup(child.pid, signal);
	};
	return new Promise((resolve, reject) => {
		process.on('SIGINT', forward).on('SIGTERM', forward);
		child.once('error', (error) => reject(new SetupFailure(`cannot run ${program}: ${error.message}`)));
		child.once('close', (code, signal) => resolve({ code, signal, received }));
	}).finally(() => process.off('SIGINT', forward).off('SIGTERM', forward));
}

function signalGroup(pid, signal) {
	try {
		process.kill(-pid, signal);
	} catch (error) {
		if (error.code !== 'ESRCH') throw error; // it has ended by itself
	}
}
