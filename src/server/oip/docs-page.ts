/** The routes under /v2 as one page that loads nothing. */
import { escaped } from '../html.js';
import { jsonSchema } from './openapi.js';
import type { OipRoute } from './route.js';

export function docsPage(routes: readonly OipRoute[], version: string): string {
	return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>rankd ${escaped(version)}: /v2</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font: 600 1rem ui-monospace, monospace; margin: 2rem 0 0; border-top: 1px solid #8884; padding-top: 1rem }
h2 b { display: inline-block; width: 3.5rem }
p { margin: .25rem 0 }
pre { overflow-x: auto; padding: .5rem; background: #8882; font-size: 13px }
small { opacity: .7 }
</style>
<h1>Open Inference Protocol v2</h1>
<p>rankd ${escaped(version)}. The same as an OpenAPI description: <a href="openapi.json">openapi.json</a>. Every error is
JSON, <code>{"error", "code", "request_id"}</code>; paths may stand behind a base path; query strings are ignored.</p>
${routes.map(section).join('\n')}
</html>
`;
}

function section(route: OipRoute): string {
	const group = route.group === undefined ? '' : ` <small>(${route.group})</small>`;
	return `<h2><b>${route.method.toUpperCase()}</b>${escaped(route.path)}</h2>
<p>${escaped(route.summary)}${group}</p>${binaryNote(route)}${example(route)}${details('body', route.body?.schema)}${details('answer', route.answer)}`;
}

function binaryNote({ isBinary }: OipRoute): string {
	if (!isBinary) return '';
	return '<p>With <code>Inference-Header-Content-Length: n</code> the first n bytes are JSON and tensors in binary form follow: little-endian, row-major, in its order.</p>';
}

function example({ method, path, body }: OipRoute): string {
	if (body === undefined) return '';
	const line = `curl -X ${method.toUpperCase()} http://localhost:8000${path} -d '${JSON.stringify(body.example)}'`;
	return `<pre>${escaped(line)}</pre>`;
}

function details(what: string, schema: OipRoute['answer']): string {
	if (schema === undefined) return '';
	return `<details><summary>${what}</summary><pre>${escaped(JSON.stringify(jsonSchema(schema), null, 2))}</pre></details>`;
}
