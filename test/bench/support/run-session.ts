/** A session of the bench with what a test does in it, closed whatever happens. */
import { choosePinning } from '../../../bench/harness/pin.js';
import { Session } from '../../../bench/harness/session.js';

export async function withSession<T>(test: (session: Session) => Promise<T>): Promise<T> {
	const session = new Session({ seconds: 1, pairs: 1, pinning: choosePinning(), progress: () => {} });
	try {
		return await test(session);
	} finally {
		await session.close();
	}
}
