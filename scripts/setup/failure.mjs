/** A set-up step that cannot go on. The message is for the person at the keyboard: it is printed without a stack. */
export class SetupFailure extends Error {
	/** @param exitCode what the whole command ends with; 128 + n when signal n ended a step */
	constructor(message, exitCode = 1) {
		super(message);
		this.exitCode = exitCode;
	}
}

/** Runs a script's `main`; says in words why set-up failed and leaves other errors to Node. */
export async function runMain(main) {
	try {
		process.exitCode = await main();
	} catch (error) {
		if (!(error instanceof SetupFailure)) throw error;
		console.error(`\n${error.message}`);
		process.exitCode = error.exitCode;
	}
}
