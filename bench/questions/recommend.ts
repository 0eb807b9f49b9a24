/** `recommend`: retrieval, filters and ranking of one request after the other on one core. */

import { inRoot } from '../harness/paths.js';
import type { Answer, Bench, Question } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { Work } from '../harness/work.js';
import { benchModel } from '../models/models.js';
import { answerOf, measureSubjects, type Subject } from './core-share.js';
import { packagesRecommend, recommendRequests } from './requests.js';

/** Of the generated bundle's pipeline: HNSW proposes so many. */
const RETRIEVED = 200;

export const recommend: Question = {
	name: 'recommend',
	asks: 'How many recommend requests does one core answer, on the shipped bundle and over 100,000 generated items?',
	run,
};

async function run(bench: Bench): Promise<Answer> {
	const retriever = await benchModel('retriever', bench.progress);
	const server = await startRankd(bench, { repositories: [retriever.repository, inRoot('models')] });
	const subjects: readonly Subject[] = [
		{
			work: new Work(bench, server, { name: 'packages', requests: packagesRecommend() }),
			candidates: null,
			labels: { bundle: 'packages (shipped)' },
		},
		{
			work: new Work(bench, server, { name: 'retriever', requests: recommendRequests(retriever) }),
			candidates: RETRIEVED,
			labels: { bundle: 'retriever (100,000 items of width 256, HNSW, 200 ranked)' },
		},
	];
	const measured = await measureSubjects(bench, subjects, retriever.onnx);
	const series = measured.map(({ work, closed }) => ({
		name: work.name,
		points: closed.map(({ result }, round) => ({ x: round + 1, y: result.completed_per_second })),
	}));
	return answerOf(measured, [
		{ title: 'recommend: requests per second of one core, round by round', x: { label: 'round' }, y: { label: 'requests/s' }, series },
	]);
}
