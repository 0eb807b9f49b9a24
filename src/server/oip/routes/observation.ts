/** What the server has done, and what it tells of it: statistics, log and traces. */
import { type OipCall, type OipRoute, takes, targetOf, tells } from '../route.js';
import * as schemas from '../schemas.js';
import { modelStatistics } from '../statistics.js';
import { changeTraceSettings, traceSettings } from '../trace-settings.js';
import { ofModel } from './of-model.js';

const statistics = {
	method: 'get',
	group: 'statistics',
	answer: schemas.modelStatistics,
	serve: tells((call: OipCall) => modelStatistics(call.context.stats(), call.path['model'] && targetOf(call))),
} as const;

const trace = { group: 'trace', answer: schemas.traceSettings } as const;

const traceRoutes = ['/v2/trace/setting', '/v2/models/{model}/trace/setting'].flatMap((path): OipRoute[] => [
	{ ...trace, method: 'get', path, summary: 'trace settings: off', serve: tells(() => traceSettings) },
	{
		...trace,
		method: 'post',
		path,
		summary: 'trace settings cannot be changed: 501',
		body: { schema: schemas.traceChanges, example: {} },
		serve: takes(schemas.traceChanges, changeTraceSettings),
	},
]);

const logging = { path: '/v2/logging', group: 'logging', answer: schemas.logSettings } as const;

const loggingRoutes: OipRoute[] = [
	{ ...logging, method: 'get', summary: 'what is logged', serve: tells(({ context }) => context.logging.settings) },
	{
		...logging,
		method: 'post',
		summary: 'changes what is logged, on every thread',
		body: { schema: schemas.logChanges, example: { log_verbose_level: 1 } },
		serve: takes(schemas.logChanges, (changes, { context }) => context.askMain('changeLogging', changes)),
	},
];

export const observationRoutes: OipRoute[] = [
	{ ...statistics, path: '/v2/models/stats', summary: 'statistics of every version in service' },
	...ofModel('/stats', { ...statistics, summary: 'statistics of a model' }),
	...loggingRoutes,
	...traceRoutes,
];
