/** `GET /debug/slow`: the slowest requests of the last minutes and what they waited for, as JSON or, for a browser, as a picture. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { SlowRequest, SlowRequests } from '../native/addon.js';
import type { PageContext } from './context.js';
import { escaped, HTML_TYPE, pagePolicy } from './html.js';
import { type Reply, send, sendJson } from './reply.js';

/** In the order a request passes them; each is a colour of the picture. */
const stages = {
	queue: '#9aa0a6',
	decode: '#5b8ff9',
	lookup: '#61d9c3',
	retrieve: '#f6bd16',
	filter: '#b37feb',
	score: '#e8684a',
	select: '#6dc8ec',
	infer: '#e8684a',
	log: '#f6bd16',
	encode: '#269a99',
} as const;

type Stage = keyof typeof stages;

export function sendSlow(context: PageContext, response: HttpResponse, rest: Partial<Reply>, request: HttpRequest): void {
	const slow = context.slowRequests();
	if (!request.getHeader('accept').includes('text/html')) return sendJson(response, 200, slowJson(slow), rest);
	send(response, { status: 200, contentType: HTML_TYPE, body: slowHtml(slow), headers: [pagePolicy], ...rest });
}

function slowJson({ since, requests }: SlowRequests): object {
	return { since: isoTime(since), requests: requests.map(requestJson) };
}

function requestJson({ requestId, batchRequests, queueUs, stageUs, totalUs, at, traceId, parentId, ...rest }: SlowRequest): object {
	const trace = traceId === undefined ? {} : { trace_id: traceId, parent_id: parentId };
	const times = { queue_us: queueUs, stages_us: stageUs, total_us: totalUs };
	return { request_id: requestId, ...rest, batch_requests: batchRequests, ...times, at: isoTime(at), ...trace };
}

/** @example a table whose longest bar is the slowest request */
export function slowHtml({ since, requests }: SlowRequests): string {
	const slowestUs = requests[0]?.totalUs ?? 0;
	const legend = Object.entries(stages).map(([stage, colour]) => `<span><i style="background:${colour}"></i>${stage}</span>`);
	const rows = requests.map((request) => row(request, slowestUs)).join('\n') || '<tr><td colspan="9">none yet</td></tr>';
	return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>slow requests</title>
<style>
:root { color-scheme: light dark; font: 14px system-ui, sans-serif }
table { border-collapse: collapse; width: 100% }
td, th { padding: 2px 8px; text-align: left; white-space: nowrap }
td.time { text-align: right; font-variant-numeric: tabular-nums }
td.bar { width: 50% }
.bar div { display: flex; height: 14px }
i { display: inline-block; width: 10px; height: 10px; margin: 0 4px 0 12px }
</style>
<h1>Slow requests since ${isoTime(since)}</h1>
<p>Time to the answer: ${legend.join('')}</p>
<table>
<tr><th>ms</th><th></th><th>request</th><th>model</th><th>operation</th><th>code</th><th>rows</th><th>batch</th><th>answered</th></tr>
${rows}
</table>
</html>
`;
}

function row(request: SlowRequest, slowestUs: number): string {
	const { requestId, model, version, operation, code, rows, batchRequests, totalUs, at, traceId } = request;
	const trace = traceId === undefined ? '' : ` title="trace ${traceId}"`;
	const cells = [`${model}@${version}`, operation, code, rows, batchRequests, isoTime(at)].map(
		(cell) => `<td>${escaped(String(cell))}</td>`,
	);
	return `<tr><td class="time">${(totalUs / 1000).toFixed(3)}</td><td class="bar"><div>${bar(request, slowestUs)}</div></td><td${trace}>${escaped(requestId ?? '–')}</td>${cells.join('')}</tr>`;
}

function bar({ queueUs, stageUs }: SlowRequest, slowestUs: number): string {
	const times: Partial<Record<string, number>> = { queue: queueUs, ...stageUs };
	return (Object.keys(stages) as Stage[])
		.filter((stage) => times[stage])
		.map((stage) => {
			const us = times[stage] as number;
			const width = ((100 * us) / slowestUs).toFixed(2);
			return `<span style="width:${width}%;background:${stages[stage]}" title="${stage} ${(us / 1000).toFixed(3)} ms"></span>`;
		})
		.join('');
}

const isoTime = (unixMs: number): string => new Date(unixMs).toISOString();
