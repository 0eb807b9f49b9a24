/** Why a question has no answer; the command line turns each into its exit code and prints the sentence without a stack. */

/** The run could not be measured: a tool is missing, a server did not start, a point was void. */
export class Unmeasurable extends Error {
	override readonly name = 'Unmeasurable';
}

/** The command line makes no sense. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
}
