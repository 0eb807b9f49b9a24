/** `npm run bench -- <question>`: reads the command line, asks, prints and stores the answer. */
import { constants } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { questions as known } from '../questions/index.js';
import { Unmeasurable, UsageError } from './failures.js';
import { describeCommit, describeMachine, describeVersions } from './machine.js';
import { choosePinning, type Pinning } from './pin.js';
import type { Narrowed, Question } from './question.js';
import { isOk, type Report, reportAsText, reportOf, type Setting, writeReport } from './report.js';
import { Session } from './session.js';

export const exitCodes = { ok: 0, checkFailed: 1, usage: 2, unmeasurable: 3 } as const;

/** Of questions that do not ask for more. */
const USUAL = { seconds: 10, pairs: 5 };

interface Options extends Narrowed {
	seconds?: number;
	pairs?: number;
	json?: boolean;
	cores?: [number, number];
}

export interface Surroundings {
	/** Builds what is measured; called once the command line has proved to make sense. */
	prepare: () => Promise<void>;
	stdout: (text: string) => void;
	stderr: (text: string) => void;
	/** Default: those of bench/questions. */
	questions?: readonly Question[];
	/** Where results are kept; default: bench/results. */
	results?: string;
}

/** @returns the exit code: 0 all checks ok, 1 a check failed, 2 a command line that makes no sense, 3 could not be measured */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
	const command = commandLine(surroundings);
	let exitCode: number = exitCodes.ok;
	command.action(async (name: string, options: Options) => {
		exitCode = await ask(name, options, args, surroundings);
	});
	try {
		await command.parseAsync(args, { from: 'user' });
		return exitCode;
	} catch (error) {
		return exitCodeOf(error, surroundings);
	}
}

function exitCodeOf(error: unknown, { stderr }: Surroundings): number {
	// commander has printed its own message, or the help that was asked for.
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
	if (error instanceof UsageError || error instanceof Unmeasurable) {
		stderr(`${error.message}\n`);
		return error instanceof UsageError ? exitCodes.usage : exitCodes.unmeasurable;
	}
	throw error;
}

function commandLine({ stdout, stderr, questions = known }: Surroundings): Command {
	const width = Math.max(...questions.map(({ name }) => name.length)) + 2;
	const list = questions.map(({ name, asks }) => `  ${name.padEnd(width)}${asks}`).join('\n');
	return new Command('npm run bench --')
		.description('Measures this checkout and answers one question; docs/performance.md tells how to read the answers.')
		.argument('<question>', 'a name from the list below, or all')
		.option('--seconds <number>', 'measured per point, over all its rounds together (default: 10, or what the question needs)', positive)
		.option('--pairs <number>', 'rounds in which the alternatives take turns (default: 5, or what the question needs)', wholeFromOne)
		.option('--cores <server,load>', 'cores of the servers and of the load generator (default: the first two granted)', twoCores)
		.option('--only <names>', 'peers: these peers alone, separated by commas')
		.option('--work <names>', 'peers: this work alone: infer, rank, score')
		.option('--onnx <file>', 'infer: this graph alone')
		.option('--shapes <json>', 'infer: the shape of each input of that graph, all float32, {"x": [1, 64]}')
		.option('--requests <file>', 'throughput: these requests, one JSON body a line')
		.option('--target <operation/model>', 'throughput: what those requests ask, such as rank/packages')
		.option('--repository <folder>', 'throughput: the model repository that answers them (default: the models that ship)')
		.option('--json', 'one JSON object on stdout; everything else goes to stderr')
		.addHelpText('after', `\nQuestions:\n${list}\n  ${'all'.padEnd(width)}every one of them, one after the other`)
		.configureOutput({ writeOut: stdout, writeErr: stderr })
		.showHelpAfterError('(see --help)')
		.exitOverride();
}

async function ask(name: string, options: Options, args: readonly string[], surroundings: Surroundings): Promise<number> {
	const asked = chosen(name, surroundings.questions ?? known);
	const pinning = choosePinning(options.cores);
	await surroundings.prepare();
	const setting: Setting = {
		machine: describeMachine(pinning.allowed.length),
		versions: await describeVersions(),
		commit: describeCommit(),
		command: `npm run bench -- ${args.join(' ')}`,
		started: new Date().toISOString(),
		...USUAL,
		...wantedOf(options),
	};
	const reports: Report[] = [];
	for (const question of asked) {
		const own: Setting = { ...setting, ...question.usual, ...wantedOf(options), started: new Date().toISOString() };
		const report = await answer(question, own, { pinning, narrowed: options }, surroundings);
		reports.push(report);
		if (!options.json) surroundings.stdout(`${reportAsText(report)}\n\n`);
	}
	if (options.json) surroundings.stdout(`${JSON.stringify(name === 'all' ? togetherOf(reports, setting) : reports[0])}\n`);
	return reports.every(isOk) ? exitCodes.ok : exitCodes.checkFailed;
}

/** What the command line names. */
const wantedOf = ({ seconds, pairs }: Options) => ({ ...(seconds !== undefined && { seconds }), ...(pairs !== undefined && { pairs }) });

function chosen(name: string, questions: readonly Question[]): readonly Question[] {
	if (name === 'all') return questions;
	const found = questions.filter((question) => question.name === name);
	if (found.length > 0) return found;
	throw new UsageError(`unknown question "${name}"; there are ${questions.map((question) => question.name).join(', ')} and all`);
}

interface Frame {
	pinning: Pinning;
	narrowed: Narrowed;
}

async function answer(
	question: Question,
	setting: Setting,
	{ pinning, narrowed }: Frame,
	{ stderr, results }: Surroundings,
): Promise<Report> {
	const progress = (text: string) => stderr(`${question.name}: ${text}\n`);
	const session = new Session({ seconds: setting.seconds, pairs: setting.pairs, pinning, narrowed, progress });
	const release = onSignals(async (signal) => {
		stderr(`\n${signal}: stopping what was started\n`);
		await session.close();
		process.exit(128 + constants.signals[signal]);
	});
	try {
		const found = await question.run(session);
		const report = reportOf(question.name, setting, found, session.notes);
		// The file keeps the last whole answer.
		if (isNarrowed(narrowed)) progress('asked for a part only: bench/results stays as it was');
		else writeReport(report, found.charts, results);
		return report;
	} catch (error) {
		// What a signal broke off is no failure to tell about: the process is about to exit.
		if (session.isClosed) await new Promise(() => {});
		throw unmeasurableBecause(error, question);
	} finally {
		await session.close();
		release();
	}
}

const isNarrowed = ({ only, work, onnx, requests, repository }: Narrowed): boolean =>
	[only, work, onnx, requests, repository].some((part) => part !== undefined);

/** Whatever went wrong on the way, there is no answer; a slip of ours keeps its stack. */
function unmeasurableBecause(error: unknown, { name }: Question): Error {
	if (error instanceof UsageError) return error;
	const reason = error instanceof Unmeasurable ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
	return new Unmeasurable(`${name} could not be measured: ${reason}`, { cause: error });
}

/** One object for all questions: a row for each, and everybody's checks. */
function togetherOf(reports: readonly Report[], setting: Setting): Report {
	return {
		question: 'all',
		...setting,
		versions: Object.assign({}, ...reports.map(({ versions }) => versions)),
		rows: reports.map((report) => ({ question: report.question, checks: report.checks.length, ok: isOk(report), started: report.started })),
		checks: reports.flatMap(({ question, checks }) => checks.map((check) => ({ ...check, name: `${question}: ${check.name}` }))),
		notes: [...new Set(reports.flatMap(({ question, notes }) => notes.map((note) => `${question}: ${note}`)))],
	};
}

type Stopping = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
const stopping: readonly Stopping[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The first signal stops us; npm passes on what the terminal has sent as well. */
function onSignals(stop: (signal: Stopping) => Promise<void>): () => void {
	let isStopping = false;
	const listener = (signal: Stopping) => {
		if (isStopping) return;
		isStopping = true;
		stop(signal);
	};
	for (const signal of stopping) process.on(signal, listener);
	return () => {
		for (const signal of stopping) process.off(signal, listener);
	};
}

function positive(text: string): number {
	const value = Number(text);
	if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 3600) return value;
	throw new InvalidArgumentError('it must be a number above 0, at most 3600.');
}

function wholeFromOne(text: string): number {
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= 1 && value <= 1000) return value;
	throw new InvalidArgumentError('it must be a whole number from 1 to 1000.');
}

function twoCores(text: string): [number, number] {
	const found = text.match(/^(\d{1,4}),(\d{1,4})$/);
	if (found) return [Number(found[1]), Number(found[2])];
	throw new InvalidArgumentError('it must be two core numbers such as 0,1.');
}
