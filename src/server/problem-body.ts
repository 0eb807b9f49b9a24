/** A part of the repository that does not serve, as pages show it and threads tell each other. */
import type { Problem } from '../control/published-model.js';
import type { ErrorCode } from '../errors.js';

export interface ProblemBody {
	path: string;
	error: string;
	code: ErrorCode;
}

export const problemBody = ({ path, error }: Problem): ProblemBody => ({ path, error: error.message, code: error.code });
