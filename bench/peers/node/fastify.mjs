/** fastify in front of onnxruntime-node: bodies checked and answers written by compiled schemas. */
import Fastify from 'fastify';
import { inferModel, ranker, rowsOf, scoreModel } from './models.mjs';

const numbers = { type: 'array', items: { type: 'number' } };
const matrix = { type: 'array', minItems: 1, items: numbers };
const object = (properties, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const item = object({ id: { type: 'integer' }, score: { type: 'number' } });
const rankBody = object(
	{
		user: { type: 'integer' },
		candidates: { type: 'array', items: { type: 'integer' } },
		k: { type: 'integer', minimum: 1, default: 10 },
	},
	['user', 'candidates'],
);

const app = Fastify({ logger: false });

app.get('/health', async () => ({ ready: true }));

app.post('/infer', { schema: { body: object({ x: matrix }), response: { 200: object({ y: matrix }) } } }, async ({ body }) => ({
	y: rowsOf(await inferModel.run(body.x)),
}));

app.post('/score', { schema: { body: object({ rows: matrix }), response: { 200: object({ scores: numbers }) } } }, async ({ body }) => ({
	scores: Array.from((await scoreModel.run(body.rows)).data),
}));

app.post(
	'/rank',
	{ schema: { body: rankBody, response: { 200: object({ items: { type: 'array', items: item } }) } } },
	async ({ body }) => ({
		items: await ranker.rank(body.user, body.candidates, body.k),
	}),
);

await app.listen({ host: '127.0.0.1', port: Number(process.env.PEER_PORT) });
