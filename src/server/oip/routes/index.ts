/** Every route under /v2, in the order in which they are described. */
import type { OipRoute } from '../route.js';
import { descriptionRoutes } from './description.js';
import { healthRoutes } from './health.js';
import { inferenceRoutes } from './inference.js';
import { metadataRoutes } from './metadata.js';
import { observationRoutes } from './observation.js';
import { repositoryRoutes } from './repository.js';
import { sharedMemoryRoutes } from './shared-memory.js';

const described: readonly OipRoute[] = [
	...inferenceRoutes,
	...metadataRoutes,
	...healthRoutes,
	...repositoryRoutes,
	...observationRoutes,
	...sharedMemoryRoutes,
];

export const oipRoutes: readonly OipRoute[] = [...described, ...descriptionRoutes(() => oipRoutes)];
