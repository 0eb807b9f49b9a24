/** Publishes a bundle that only fakes load: written beside its place, then renamed into it. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the bundle's folder */
export function publish(repository: string, name: string, version: string): string {
	const [half, whole] = [join(repository, name, `.${version}`), join(repository, name, version)];
	mkdirSync(half, { recursive: true });
	writeFileSync(join(half, 'manifest.json'), JSON.stringify({ name, version }));
	renameSync(half, whole);
	return whole;
}
