/** A repository of one's own that holds `tiny`, and ways to publish more versions of it. */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack, unpack } from 'msgpackr';
import { temporaryFolder } from './temporary-folder.js';
import { fixtureModels } from './with-server.js';

interface Manifest {
	version: string;
	files: Record<string, { bytes: number; sha256: string }>;
}

interface GoldenRequest {
	expect: { scores?: Uint8Array };
}

export class FixtureRepository {
	readonly path = temporaryFolder();

	constructor() {
		cpSync(join(fixtureModels, 'tiny'), join(this.path, 'tiny'), { recursive: true });
	}

	folder(version: string): string {
		return join(this.path, 'tiny', version);
	}

	/** Copies 1.0.0 beside its place, lets `change` spoil it, and renames it into its place, where it may replace another. */
	publish(version: string, change: (folder: string) => void = () => {}): void {
		const half = join(this.path, 'tiny', `.${version}`);
		cpSync(join(fixtureModels, 'tiny/1.0.0'), half, { recursive: true });
		editManifest(half, (manifest) => {
			manifest.version = version;
		});
		change(half);
		rmSync(`${half}.old`, { recursive: true, force: true });
		try {
			renameSync(this.folder(version), `${half}.old`);
		} catch {
			// It is new.
		}
		renameSync(half, this.folder(version));
	}

	setAliases(aliases: Record<string, string>): void {
		const half = join(this.path, 'tiny/.aliases.json');
		writeFileSync(half, JSON.stringify(aliases));
		renameSync(half, join(this.path, 'tiny/aliases.json'));
	}
}

/** One flipped byte that no checksum forgives. */
export function corrupt(folder: string): void {
	const path = join(folder, 'item.table');
	const bytes = readFileSync(path);
	bytes[bytes.byteLength - 1] = (bytes.at(-1) as number) ^ 1;
	writeFileSync(path, bytes);
}

/** Golden answers that the bundle does not give, with right checksums. */
export function disagree(folder: string): void {
	const path = join(folder, 'golden.msgpack');
	const requests = unpack(readFileSync(path)) as GoldenRequest[];
	for (const { expect } of requests)
		if (expect.scores) expect.scores = new Uint8Array(Float32Array.from(floats(expect.scores), () => 42).buffer);
	const bytes = pack(requests);
	writeFileSync(path, bytes);
	editManifest(folder, ({ files }) => {
		files['golden.msgpack'] = { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
	});
}

const floats = (bytes: Uint8Array): number[] => Array.from({ length: bytes.byteLength / 4 }, (_, at) => at);

function editManifest(folder: string, edit: (manifest: Manifest) => void): void {
	const path = join(folder, 'manifest.json');
	const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
	edit(manifest);
	writeFileSync(path, JSON.stringify(manifest));
}
