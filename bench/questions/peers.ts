/** `peers`: the same ONNX files behind rankd and behind the servers people use today, each in its natural form, on the same core. */

import { Exclusive } from '../harness/exclusive.js';
import { UsageError } from '../harness/failures.js';
import type { Answer, Bench, Check, Question } from '../harness/question.js';
import { startRankd } from '../harness/rankd.js';
import { benchModel } from '../models/models.js';
import { absentCheck, chartOf, checksOf, loadsOf, rowsOf } from '../peers/answer.js';
import { contents, type WorkName, workNames } from '../peers/content.js';
import { environment } from '../peers/environments.js';
import { rankdJson, rankdRpc } from '../peers/forms.js';
import { measureWork, type WorkMeasured } from '../peers/measure.js';
import { peers as allPeers, type Peer, type PeerModels, startPeer } from '../peers/peers.js';
import { type Standing, Subject } from '../peers/subject.js';
import { errorCheck, generatorCheck } from './checks.js';

/** Before anything is measured, so many answers must be rankd's. */
const COMPARED = 16;

/** Inputs of one request's run. */
const shapes: Record<WorkName, Record<string, number[]>> = {
	infer: { x: [1, 64] },
	rank: { user_embedding: [1, 256], row_user: [200], item_embedding: [200, 256] },
	score: { rows: [1, 247] },
};

export const peers: Question = {
	name: 'peers',
	asks: 'How much sooner and more does rankd answer than FastAPI, onnxruntime-node, LitServe and MLServer with the same models?',
	run,
};

interface Stage {
	rankd: Standing;
	/** rankd that computes nothing of items at load: the graph runs as its file has it. */
	whole: Standing;
	peers: Standing[];
	checks: Check[];
	versions: Record<string, string>;
}

async function run(bench: Bench): Promise<Answer> {
	const wanted = chosen('only', bench.narrowed.only, allPeers, ({ name }) => name);
	const works = chosen('work', bench.narrowed.work, workNames, (name) => name);
	const models: PeerModels = {
		infer: await benchModel('mlp', bench.progress),
		rank: await benchModel('ranker-u64', bench.progress),
		score: await benchModel('trees', bench.progress),
	};
	const stage = await setStage(bench, wanted, models);
	const exclusive = new Exclusive([stage.rankd, stage.whole, ...stage.peers].map(({ server }) => server));
	const measured: WorkMeasured[] = [];
	try {
		for (const work of works) measured.push(await measureOne(bench, stage, exclusive, work, models));
	} finally {
		exclusive.release();
	}
	const loads = measured.flatMap(loadsOf);
	const isPeer = (name: string) => stage.peers.some((peer) => peer.name === name);
	return {
		rows: measured.flatMap(rowsOf),
		checks: [
			...measured.flatMap((one) =>
				checksOf(
					one,
					one.others.filter(({ subject }) => isPeer(subject.name)),
				),
			),
			...stage.checks,
			errorCheck(loads),
			generatorCheck(loads),
		],
		charts: measured.map(chartOf),
		versions: stage.versions,
		notes: [
			'all servers stand on one core; while one is measured all others are stopped (SIGSTOP)',
			'closed loop: 16 requests in flight, over RPC as 4 connections x 4, over HTTP as 16 connections; open loop: 4 connections over RPC, 64 over HTTP',
			'rankd runs with --compute-threads 0, since there is one core; peers with the settings that bench/peers/README.md tells',
			'ONNX Runtime computes everywhere. rankd computes at load what the ranking graph makes of an item alone, and the user\'s half once per request; "rankd, whole graph" (--precompute-mib 0) runs the file as it is, as the peers do',
			'rankd is asked over RPC with numbers as bytes, the peers in JSON as their users ask them; "rankd, HTTP JSON" reads the same JSON as the peers',
			'"ONNX Runtime alone" runs the graph in one thread of a C++ program and reads no request: for scale, no peer',
		],
	};
}

/** Installs and starts everything; a peer that cannot be had is left out, told, and counts as not ok. */
async function setStage(bench: Bench, wanted: readonly Peer[], models: PeerModels): Promise<Stage> {
	const stage: Omit<Stage, 'rankd' | 'whole'> = { peers: [], checks: [], versions: {} };
	for (const peer of wanted) {
		try {
			const found = await environment(peer.environment, bench.progress);
			bench.progress(`starting ${peer.name}`);
			const { server, address } = await startPeer(bench, peer, found, models);
			stage.peers.push({ name: peer.name, server, address, form: peer.form });
			stage.versions[peer.name] = found.versions;
		} catch (error) {
			const reason = (error as Error).message;
			bench.progress(`${peer.name} is left out: ${reason}`);
			bench.note(`${peer.name} is left out: ${reason.split('\n').at(0)}`);
			stage.checks.push(absentCheck(peer.name));
		}
	}
	const repositories = [models.infer, models.rank, models.score].map(({ repository }) => repository);
	// On a single core a compute thread only takes turns with the I/O thread: the hand-over costs and gains nothing.
	const start = async (name: string, ...flags: string[]): Promise<Standing> => {
		const server = await startRankd(bench, { name, repositories, flags: ['--compute-threads', '0', ...flags] });
		return { name, server, address: server.tcp, form: rankdRpc };
	};
	return { ...stage, rankd: await start('rankd'), whole: await start('rankd, whole graph', '--precompute-mib', '0') };
}

async function measureOne(bench: Bench, stage: Stage, exclusive: Exclusive, work: WorkName, models: PeerModels): Promise<WorkMeasured> {
	const asked = contents(work, models.rank);
	const subject = (standing: Standing) => new Subject(bench, exclusive, standing, work, asked);
	const rankd = subject(stage.rankd);
	const json = { ...stage.rankd, name: 'rankd, HTTP JSON', form: rankdJson };
	const otherWays = work === 'rank' ? [subject(json), subject(stage.whole)] : [];
	const others = [...otherWays, ...stage.peers.map(subject)];
	const expected = await rankd.answers(COMPARED);
	for (const other of others) {
		bench.progress(`${work}: does ${other.name} answer as rankd does?`);
		await other.mustAnswer(expected);
	}
	const isPeer = (other: Subject) => stage.peers.some(({ name }) => name === other.name);
	return await measureWork(bench, { rankd, others, isPeer }, { onnx: models[work].onnx, shapes: shapes[work] });
}

/** @throws UsageError for a name that does not exist */
function chosen<T>(flag: string, value: string | undefined, all: readonly T[], nameOf: (one: T) => string): readonly T[] {
	if (value === undefined) return all;
	const names = value.split(',').map((name) => name.trim());
	const unknown = names.find((name) => !all.some((one) => nameOf(one) === name));
	if (unknown !== undefined) throw new UsageError(`--${flag} names "${unknown}"; there are ${all.map(nameOf).join(', ')}`);
	return all.filter((one) => names.includes(nameOf(one)));
}
