/** `rank`: how many requests with so many candidates one core answers, and what it costs how candidates are named. */

import { inRoot } from '../harness/paths.js';
import type { Answer, Bench, Question } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { Work } from '../harness/work.js';
import { type BenchModel, benchModel } from '../models/models.js';
import { answerOf, measureSubjects, rateOf, type Subject } from './core-share.js';
import { type IdForm, packagesRank, rankRequests } from './requests.js';

const CANDIDATES = [200, 500, 1000];
const SHIPPED_CANDIDATES = 200;
const WHOLE = 'u32 rows, whole graph';

export const rank: Question = {
	name: 'rank',
	asks: 'How many rank requests of 200, 500 and 1,000 candidates does one core answer, by rows, u64 ids and texts?',
	run,
};

async function run(bench: Bench): Promise<Answer> {
	const [u64, text] = [await benchModel('ranker-u64', bench.progress), await benchModel('ranker-text', bench.progress)];
	const server = await startRankd(bench, { repositories: [u64.repository, text.repository, inRoot('models')] });
	const forms: readonly { model: BenchModel; form: IdForm }[] = [
		{ model: u64, form: 'u32 rows' },
		{ model: u64, form: 'u64 ids' },
		{ model: u64, form: 'list of ids' },
		{ model: text, form: 'list of texts' },
	];
	const subjects = CANDIDATES.flatMap((candidates) =>
		forms.map(({ model, form }): Subject => {
			const requests = rankRequests(model, form, candidates);
			const work = new Work(bench, server, { name: `${candidates}, ${form}`, requests });
			return { work, candidates, labels: { bundle: model.name, candidates, 'ids as': form } };
		}),
	);
	// What it costs to compute the item's half of the first layer again for every request.
	const wholeServer = await startRankd(bench, { name: WHOLE, repositories: [u64.repository], flags: ['--precompute-mib', '0'] });
	const whole = CANDIDATES.map((candidates): Subject => {
		const work = new Work(bench, wholeServer, { name: `${candidates}, ${WHOLE}`, requests: rankRequests(u64, 'u32 rows', candidates) });
		return { work, candidates, labels: { bundle: u64.name, candidates, 'ids as': WHOLE } };
	});
	const requests = packagesRank(SHIPPED_CANDIDATES);
	const shipped: Subject = {
		work: new Work(bench, server, { name: `packages, ${SHIPPED_CANDIDATES}`, requests }),
		candidates: null,
		labels: { bundle: 'packages', candidates: SHIPPED_CANDIDATES, 'ids as': 'list of texts' },
	};
	const measured = await measureSubjects(bench, [...subjects, ...whole, shipped], u64.onnx);
	const series = [...forms.map(({ form }) => form), WHOLE].map((name) => ({
		name,
		points: measured
			.filter(({ labels, candidates }) => labels['ids as'] === name && candidates !== null)
			.map(({ candidates, closed }) => {
				const { value, low, high } = rateOf(closed);
				return { x: candidates ?? 0, y: value, low, high };
			}),
	}));
	const alone = {
		name: 'ONNX Runtime alone',
		points: CANDIDATES.map((count) => {
			const rates = measured.find(({ candidates }) => candidates === count)?.bare?.map(({ runs_per_second }) => runs_per_second) ?? [];
			return { x: count, y: rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length) };
		}),
	};
	const x = { label: 'candidates per request', log: true };
	return answerOf(measured, [
		{ title: 'rank: requests per second of one core', x, y: { label: 'requests/s', log: true }, series: [...series, alone] },
	]);
}
