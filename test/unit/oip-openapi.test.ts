/** The description of /v2 is made of the routes that serve it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apiGroups } from '../../src/config/restricted-api.js';
import { docsPage } from '../../src/server/oip/docs-page.js';
import { openApi } from '../../src/server/oip/openapi.js';
import { oipRoutes } from '../../src/server/oip/routes/index.js';

interface Operation {
	operationId: string;
	summary: string;
	parameters?: { name: string; in: string }[];
	requestBody?: { content: Record<string, { schema: object; example: unknown }> };
	responses: Record<string, { content: Record<string, { schema?: object }> }>;
}

const description = openApi(oipRoutes, '1.2.3') as { paths: Record<string, Record<string, Operation>>; components: object };
const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods));

describe('openapi.json', () => {
	test.each(oipRoutes.map((route) => [route.method, route.path, route] as const))('describes %s %s', (method, path, route) => {
		const operation = description.paths[path]?.[method];
		expect(operation?.summary).toBe(route.summary);
		expect(operation?.responses).toMatchObject({ 200: expect.anything(), default: expect.anything() });
		const named = path.match(/(?<=\{)\w+(?=\})/g) ?? [];
		expect(operation?.parameters?.filter((each) => each.in === 'path').map(({ name }) => name) ?? []).toEqual(named);
	});

	test('holds nothing but these routes, each under a name of its own', () => {
		expect(operations).toHaveLength(oipRoutes.length);
		expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(oipRoutes.length);
	});

	test('shows examples that the schemas beside them accept', () => {
		const bodies = oipRoutes.flatMap(({ path, body }) => (body === undefined ? [] : [{ path, ...body }]));
		expect(bodies.length).toBeGreaterThan(3);
		for (const { path, schema, example } of bodies)
			expect({ path, result: schema.safeParse(example) }).toMatchObject({ result: { success: true } });
	});

	test('refers to nothing that it does not hold', () => {
		const text = JSON.stringify(description);
		const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name as string);
		expect(references.length).toBeGreaterThan(0);
		for (const name of new Set(references)) expect(description).toHaveProperty(['components', 'schemas', name]);
	});
});

describe('the page', () => {
	const page = docsPage(oipRoutes, '<1.2.3>');

	test('has a section for every route', () => {
		for (const { method, path } of oipRoutes) expect(page).toContain(`<b>${method.toUpperCase()}</b>${path}</h2>`);
	});

	test('loads nothing and escapes what it is given', () => {
		expect(page).not.toMatch(/<script|src=|url\(|@import|<link/);
		expect(page).toContain('&lt;1.2.3&gt;');
	});
});

test('docs/oip.md knows every group of calls', () => {
	const docs = readFileSync(new URL('../../docs/oip.md', import.meta.url), 'utf8');
	for (const group of apiGroups) expect(docs).toContain(`| ${group} |`);
});
