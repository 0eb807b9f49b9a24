/** What the calls of the gRPC thread work with. */
import type { Context } from '../context.js';
import type { PeerBacklogs } from './peer-backlogs.js';

export interface GrpcContext
	extends Pick<
		Context,
		| 'askMain'
		| 'logging'
		| 'turn'
		| 'config'
		| 'log'
		| 'traffic'
		| 'models'
		| 'stats'
		| 'problems'
		| 'version'
		| 'isDraining'
		| 'isStarting'
	> {
	readonly backlogs: PeerBacklogs;
}
