/** Which groups of the Open Inference Protocol's calls need a header, and which one: `model-repository,logging:admin-key=secret`. */
import { z } from 'zod';

/** The groups, as Triton names them. */
export const apiGroups = [
	'health',
	'metadata',
	'inference',
	'shared-memory',
	'model-config',
	'model-repository',
	'statistics',
	'trace',
	'logging',
] as const;
export type ApiGroup = (typeof apiGroups)[number];

export interface RestrictedApi {
	groups: ApiGroup[];
	/** Name of the header. */
	header: string;
	value: string;
}

const written = /^(?<groups>[^:]+):(?<header>[!#$%&'*+.^`|~\w-]+)=(?<value>.+)$/;

function parsed(raw: unknown): unknown {
	const parts = typeof raw === 'string' ? written.exec(raw)?.groups : undefined;
	if (parts === undefined) return raw;
	const { groups = '', header, value } = parts;
	return { groups: groups.split(',').map((group) => group.trim()), header, value };
}

const restrictedApi = z.preprocess(
	parsed,
	z.strictObject({ groups: z.array(z.enum(apiGroups)).min(1), header: z.string().min(1), value: z.string().min(1) }),
);

/** Several are separated by `;` in the environment. A group stands in one of them at most. */
export const restrictedApis = {
	schema: z.preprocess(
		(raw) => (typeof raw === 'string' ? raw.split(';') : raw),
		z.array(restrictedApi).refine((all) => {
			const groups = all.flatMap((each) => each.groups);
			return new Set(groups).size === groups.length;
		}),
	),
	allowed: `<group>,…:<header>=<value> with groups of ${apiGroups.join(', ')}, each once`,
	isList: true,
};
