/** The command line: its refusals, its exit codes, and the one object it prints. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exitCodes, main } from '../../bench/harness/cli.js';
import { Unmeasurable } from '../../bench/harness/failures.js';
import type { Answer, Question } from '../../bench/harness/question.js';
import { questions } from '../../bench/questions/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const answer: Answer = {
	rows: [{ way: 'a', 'answers/s': 1 }],
	checks: [{ name: 'fast', value: 2, unit: 's', target: '<= 3', ok: true }],
	charts: [{ title: 't', x: { label: 'x' }, y: { label: 'y' }, series: [{ name: 's', points: [{ x: 1, y: 2 }] }] }],
	versions: { peer: '1.2.3' },
	notes: ['one thing was left out'],
};
const failing: Answer = { ...answer, checks: answer.checks.map((check) => ({ ...check, ok: false })) };
const question = (name: string, run: Question['run']): Question => ({ name, asks: `what ${name} is`, run });
const known = [
	question('good', async (bench) => {
		bench.note('a note of the run');
		return answer;
	}),
	question('bad', async () => failing),
	question('void', () => Promise.reject(new Unmeasurable('the run is void'))),
	question('slip', () => Promise.reject(new TypeError('x is undefined'))),
];

const run = (...args: string[]) => runWith(known, ...args);

async function runWith(questions: readonly Question[], ...args: string[]) {
	const results = temporaryFolder();
	const said = { stdout: '', stderr: '', prepared: 0 };
	const code = await main(args, {
		prepare: async () => {
			said.prepared++;
		},
		stdout: (text) => {
			said.stdout += text;
		},
		stderr: (text) => {
			said.stderr += text;
		},
		questions,
		results,
	});
	return { code, results, ...said };
}

const report = z.strictObject({
	question: z.string(),
	machine: z.strictObject({
		processor: z.string().min(1),
		features: z.array(z.string()),
		cores: z.int().min(1),
		virtual: z.boolean(),
		memory_gib: z.number().positive(),
		kernel: z.string(),
		glibc: z.string(),
		governor: z.string().nullable(),
	}),
	versions: z.looseObject({ rankd: z.string(), node: z.string(), onnxruntime: z.string(), compiler: z.string(), uWebSockets: z.string() }),
	commit: z.string().regex(/^([0-9a-f]{12}(-dirty)?|unknown)$/),
	command: z.string().startsWith('npm run bench -- '),
	started: z.iso.datetime(),
	seconds: z.number().positive(),
	pairs: z.int().min(1),
	rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
	checks: z.array(z.strictObject({ name: z.string(), value: z.number(), unit: z.string(), target: z.string(), ok: z.boolean() })),
	notes: z.array(z.string()),
});

describe('a command line that makes no sense', () => {
	test.each([
		[['nonsense'], 'unknown question "nonsense"; there are good, bad, void, slip and all'],
		[[], "missing required argument 'question'"],
		[['good', '--seconds', '0'], 'above 0'],
		[['good', '--pairs', '1.5'], 'whole number'],
		[['good', '--cores', '0'], 'two core numbers'],
		[['good', '--cores', '4095,4095'], 'core 4095'],
		[['good', '--fast'], "unknown option '--fast'"],
		[['good', 'bad'], 'too many arguments'],
	])('%j ends with 2, says why and builds nothing', async (args, reason) => {
		const { code, stdout, stderr, prepared } = await run(...args);
		expect({ code, stdout, prepared }).toEqual({ code: exitCodes.usage, stdout: '', prepared: 0 });
		expect(stderr).toContain(reason);
	});
});

test('--help lists every question with one line each', async () => {
	const { code, stdout } = await run('--help');
	expect(code).toBe(0);
	for (const { name, asks } of known) expect(stdout).toMatch(new RegExp(`^ +${name} +${asks.replace('?', '\\?')}$`, 'm'));
});

describe('an answer', () => {
	test('as JSON is one object on stdout that says what was measured, on what and with what', async () => {
		const { code, stdout, stderr } = await run('good', '--json', '--seconds', '2', '--pairs', '3');
		expect(code).toBe(exitCodes.ok);
		const printed = report.parse(JSON.parse(stdout));
		expect(stdout.trim().split('\n').length).toBe(1);
		expect(printed).toMatchObject({ question: 'good', seconds: 2, pairs: 3, rows: answer.rows, checks: answer.checks });
		expect(printed.command).toBe('npm run bench -- good --json --seconds 2 --pairs 3');
		expect(printed.versions).toMatchObject({ peer: '1.2.3' });
		expect(printed.notes).toEqual(expect.arrayContaining(['a note of the run', 'one thing was left out']));
		expect(stderr).toBe('');
	});

	test('has the rounds that its question needs, unless the command line says otherwise', async () => {
		const thorough: Question = { ...question('thorough', async () => answer), usual: { seconds: 40, pairs: 20 } };
		const asked = async (...args: string[]) => JSON.parse((await runWith([thorough], 'thorough', '--json', ...args)).stdout);
		expect(await asked()).toMatchObject({ seconds: 40, pairs: 20 });
		expect(await asked('--pairs', '2')).toMatchObject({ seconds: 40, pairs: 2 });
		expect(JSON.parse((await run('good', '--json')).stdout)).toMatchObject({ seconds: 10, pairs: 5 });
	});

	test('is kept with its charts, beside a picture', async () => {
		const { results } = await run('good', '--json');
		const kept = JSON.parse(readFileSync(`${results}/good.json`, 'utf8'));
		expect(kept).toMatchObject({ question: 'good', rows: answer.rows, charts: answer.charts });
		expect(readFileSync(`${results}/good.svg`, 'utf8')).toContain('<svg');
	});

	test('for people is a table and the checks', async () => {
		const { stdout } = await run('good');
		expect(stdout).toContain('| way | answers/s |');
		expect(stdout).toMatch(/\| fast +\| +2 \| s +\| <= 3 +\| ok/);
		expect(stdout).toContain('- one thing was left out');
	});

	test('whose check failed ends with 1', async () => {
		const { code, stdout } = await run('bad');
		expect(code).toBe(exitCodes.checkFailed);
		expect(stdout).toContain('NOT OK');
	});
});

describe('a question without an answer', () => {
	test('ends with 3 and one sentence', async () => {
		const { code, stdout, stderr } = await run('void', '--json');
		expect({ code, stdout, stderr }).toEqual({
			code: exitCodes.unmeasurable,
			stdout: '',
			stderr: 'void could not be measured: the run is void\n',
		});
	});

	test('because of a slip of ours tells where', async () => {
		const { code, stderr } = await run('slip');
		expect(code).toBe(exitCodes.unmeasurable);
		expect(stderr).toMatch(/TypeError: x is undefined\n +at /);
	});
});

test('the names of the real questions are different and each has one line', () => {
	expect(new Set(questions.map(({ name }) => name)).size).toBe(questions.length);
	for (const { asks } of questions) expect(asks).not.toContain('\n');
});
