/** The routes under /v2 as an OpenAPI 3.1 description, made of the table that serves them and the schemas that check them. */
import { z } from 'zod';
import { apiGroups } from '../../config/restricted-api.js';
import type { OipRoute } from './route.js';
import * as schemas from './schemas.js';

const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/octet-stream';

const inferenceHeader = {
	description: 'bytes of the JSON; tensors in binary form stand behind it, in the order of its inputs or outputs',
	schema: { type: 'integer', minimum: 0 },
};

export function openApi(routes: readonly OipRoute[], version: string): object {
	const paths: Record<string, Record<string, object>> = {};
	for (const route of routes) {
		const methods = paths[route.path] ?? {};
		methods[route.method] = operationOf(route);
		paths[route.path] = methods;
	}
	return {
		openapi: '3.1.0',
		info: { title: 'rankd: Open Inference Protocol v2', version },
		tags: apiGroups.map((name) => ({ name })),
		paths,
		components: { schemas: { Error: jsonSchema(schemas.error) } },
	};
}

export function jsonSchema(schema: z.ZodType): object {
	const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
	return rest;
}

function operationOf(route: OipRoute): object {
	const parameters = [...pathParameters(route), ...(route.isBinary ? [headerParameter] : [])];
	return {
		operationId: operationId(route),
		summary: route.summary,
		...(route.group === undefined ? {} : { tags: [route.group] }),
		...(parameters.length === 0 ? {} : { parameters }),
		...(route.body === undefined ? {} : { requestBody: requestBody(route.body, route.isBinary) }),
		responses: { 200: answer(route), default: errorAnswer },
	};
}

/** `get /v2/models/{model}/ready` as `getModelsModelReady`. */
function operationId({ method, path }: OipRoute): string {
	const words = path.split(/\W+/).filter((word) => word !== '' && word !== 'v2');
	return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

function pathParameters({ path }: OipRoute): object[] {
	const names = path.match(/(?<=\{)\w+(?=\})/g) ?? [];
	return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

const headerParameter = { name: 'Inference-Header-Content-Length', in: 'header', ...inferenceHeader };

function requestBody({ schema, example }: NonNullable<OipRoute['body']>, isBinary = false): object {
	return { content: { [JSON_TYPE]: { schema: jsonSchema(schema), example }, ...(isBinary ? binaryContent : {}) } };
}

const binaryContent = { [BINARY_TYPE]: {} };

function answer({ answer: schema, isBinary, path }: OipRoute): object {
	const description = 'done';
	if (schema === undefined) return { description, content: { [path.endsWith('.json') ? JSON_TYPE : 'text/html']: {} } };
	const content = { [JSON_TYPE]: { schema: jsonSchema(schema) } };
	if (!isBinary) return { description, content };
	return { description, headers: { 'Inference-Header-Content-Length': inferenceHeader }, content: { ...content, ...binaryContent } };
}

const errorAnswer = {
	description: 'what went wrong; docs/errors.md has each code with its status',
	content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
};
