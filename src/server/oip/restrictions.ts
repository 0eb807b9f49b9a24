/** Groups of calls that need a header with a secret (`http_restricted_api`). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiGroup, RestrictedApi } from '../../config/restricted-api.js';
import { EngineError } from '../../errors.js';

interface Secret {
	header: string;
	digest: Buffer;
}

/** Of equal length, so that comparing them tells nothing of what was expected. */
const digestOf = (value: string): Buffer => createHash('sha256').update(value).digest();

/** Of an HTTP call or a gRPC call; a header that is absent is empty. */
export interface Headers {
	getHeader(lowerCaseName: string): string;
}

export class Restrictions {
	readonly #secrets = new Map<ApiGroup, Secret>();

	constructor(restricted: readonly RestrictedApi[]) {
		for (const { groups, header, value } of restricted)
			for (const group of groups) this.#secrets.set(group, { header, digest: digestOf(value) });
	}

	/** @throws EngineError `RESTRICTED` */
	check(group: ApiGroup | undefined, call: Headers): void {
		const secret = group && this.#secrets.get(group);
		if (secret === undefined || timingSafeEqual(digestOf(call.getHeader(secret.header.toLowerCase())), secret.digest)) return;
		throw new EngineError('RESTRICTED', `This API is restricted, expecting header '${secret.header}'`);
	}
}
