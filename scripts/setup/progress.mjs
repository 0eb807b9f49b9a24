/** Progress lines: `[2/4] native build … 43 s`. */

export const seconds = (sinceMs) => {
	const elapsed = (performance.now() - sinceMs) / 1000;
	return elapsed < 10 ? `${elapsed.toFixed(1)} s` : `${Math.round(elapsed)} s`;
};

/**
 * Shows a line while `body` runs. A terminal sees the seconds pass; elsewhere the line is begun at once and ended later.
 * @param body what it returns, if anything, stands in the line before the time
 */
export async function withProgress(title, { verbose, out = process.stdout }, body) {
	const start = performance.now();
	const live = out.isTTY && !verbose;
	const timer = live ? setInterval(() => out.write(`\r${title} … ${seconds(start)}`), 1000) : undefined;
	out.write(`${title} … ${verbose ? '\n' : ''}`);
	const end = (text) => out.write(`${live ? '\r' : ''}${live || verbose ? `${title} … ` : ''}${text}\n`);
	try {
		const note = await body();
		end(note ? `${note}, ${seconds(start)}` : seconds(start));
	} catch (error) {
		end(`failed after ${seconds(start)}`);
		throw error;
	} finally {
		clearInterval(timer);
	}
}
