/** Routes of a model come in pairs: with and without a version in their path. */
import type { OipRoute } from '../route.js';

export const ofModel = (suffix: string, route: Omit<OipRoute, 'path'>): OipRoute[] => [
	{ ...route, path: `/v2/models/{model}${suffix}` },
	{ ...route, path: `/v2/models/{model}/versions/{version}${suffix}` },
];
