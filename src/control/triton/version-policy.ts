/** Which versions of a model its configuration wants served. */
import type { VersionPolicy } from '../published-model.js';
import { isTritonVersion } from '../versions.js';
import type { ModelConfig } from './model-config.js';

/** The newest one where nothing is said. */
export function versionPolicy({ version_policy: policy }: ModelConfig): VersionPolicy {
	if (policy?.all) return { newest: Number.POSITIVE_INFINITY };
	if (policy?.specific) return { only: (policy.specific.versions ?? []).map(String).filter(isTritonVersion) };
	return { newest: policy?.latest?.num_versions || 1 };
}
