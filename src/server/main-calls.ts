/** What the main thread answers to those that serve. */
import type { OipRepository } from '../control/oip-repository.js';
import type { Metrics } from '../metrics/metrics.js';
import { loadParametersOf } from './oip/load-body.js';
import { changedLogSettings, type LogControl, type LogSettings } from './oip/log-settings.js';
import type { MainCalls } from './thread-calls.js';

export interface MainParts {
	metrics: Metrics;
	repository: OipRepository;
	/** Of the main thread's own log. */
	logging: LogControl;
	/** Resolves when every other thread logs so. */
	tellLogging: (settings: LogSettings) => Promise<void>;
}

export function mainCalls({ metrics, repository, logging, tellLogging }: MainParts): MainCalls {
	return {
		metrics: () => metrics.render(),
		index: (options) => repository.index(options),
		load: ({ name, parameters }) => repository.load(name, parameters),
		loadJson: async ({ name, body }) => repository.load(name, loadParametersOf(body)),
		unload: ({ name, unloadDependents }) => repository.unload(name, { unloadDependents }),
		config: ({ name, version }) => repository.config(name, version),
		changeLogging: async (changes) => {
			const settings = changedLogSettings(logging.settings, changes);
			logging.apply(settings);
			await tellLogging(settings);
			return settings;
		},
	};
}
