#!/usr/bin/env node
/** The command line: exit code 0 for success, 1 when something went wrong, 2 for a call that makes no sense. */
import { Command, CommanderError } from 'commander';
import { modelsCommand } from './cli/models.js';
import { recommendCommand } from './cli/recommend.js';
import { serveCommand } from './cli/serve.js';
import { EngineError } from './errors.js';
import { packageInfo } from './package-info.js';

const USAGE_ERROR = 2;

const program = new Command('rankd')
	.description('Retrieves, ranks and scores: an inference server for recommendation.')
	.version(packageInfo.version)
	.addCommand(serveCommand())
	.addCommand(modelsCommand())
	.addCommand(recommendCommand());

for (const command of [program, ...program.commands]) command.exitOverride().showHelpAfterError('(see --help)');

try {
	await program.parseAsync();
} catch (thrown) {
	process.exit(report(thrown));
}

/** @returns the exit code */
function report(thrown: unknown): number {
	// commander has printed its own message, or the help that was asked for.
	if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE_ERROR;
	const error = EngineError.from(thrown);
	console.error(`rankd: ${error.code}: ${error.message}`);
	if (error.code === 'INTERNAL') console.error(error.stack);
	return error.code === 'INVALID_CONFIG' ? USAGE_ERROR : 1;
}
