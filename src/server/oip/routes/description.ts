/** The description of these routes, for programs and for people. */
import { HTML_TYPE, pagePolicy } from '../../html.js';
import { send } from '../../reply.js';
import { docsPage } from '../docs-page.js';
import { openApi } from '../openapi.js';
import { type OipRoute, tells } from '../route.js';

/** @param routes all of them, these included */
export const descriptionRoutes = (routes: () => readonly OipRoute[]): OipRoute[] => [
	{
		method: 'get',
		path: '/v2/openapi.json',
		summary: 'these calls as an OpenAPI description',
		serve: tells(({ context }) => openApi(routes(), context.version)),
	},
	{
		method: 'get',
		path: '/v2/docs',
		summary: 'these calls as a page',
		serve: ({ context, response, rest }) => {
			const body = docsPage(routes(), context.version);
			send(response, { status: 200, contentType: HTML_TYPE, body, headers: [pagePolicy], ...rest });
		},
	},
];
