/** Every question of the bench, in the order that `all` asks them. */
import type { Question } from '../harness/question.js';
import { batching } from './batching.js';
import { infer } from './infer.js';
import { latencyVsLoad } from './latency-vs-load.js';
import { memory } from './memory.js';
import { mixed } from './mixed.js';
import { observability } from './observability.js';
import { overload } from './overload.js';
import { peers } from './peers.js';
import { rank } from './rank.js';
import { recommend } from './recommend.js';
import { reload } from './reload.js';
import { start } from './start.js';
import { threads } from './threads.js';
import { throughput } from './throughput.js';
import { transport } from './transport.js';

export const questions: readonly Question[] = [
	transport,
	throughput,
	latencyVsLoad,
	start,
	rank,
	recommend,
	infer,
	observability,
	overload,
	mixed,
	batching,
	reload,
	memory,
	threads,
	peers,
];
