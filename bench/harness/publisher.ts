/** Publishes bundles as operators do: copied beside their place, renamed into it, then named by the alias. */
import { constants, copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = 'manifest.json';

export class Publisher {
	/** For `--model-repository`. */
	readonly repository: string;
	readonly #model: string;
	readonly #folder: string;
	#count = 0;

	/**
	 * @param repository a folder of its own, made here
	 * @param model how requests name it, whatever the bundles say
	 */
	constructor(repository: string, model: string) {
		this.repository = repository;
		this.#model = model;
		this.#folder = join(repository, model);
		mkdirSync(this.#folder, { recursive: true });
	}

	/** Makes a copy of this bundle the only version and the champion. @returns its version */
	publish(bundle: string): string {
		const before = this.#version();
		const version = this.add(bundle);
		this.promote(version);
		rmSync(join(this.#folder, before), { recursive: true, force: true });
		return version;
	}

	/** A copy of this bundle beside those that are there, newer than they are. @returns its version */
	add(bundle: string): string {
		this.#count++;
		const version = this.#version();
		const incoming = join(this.#folder, '.incoming');
		mkdirSync(incoming);
		for (const file of readdirSync(bundle)) {
			if (file !== MANIFEST) copyFileSync(join(bundle, file), join(incoming, file), constants.COPYFILE_FICLONE);
		}
		const manifest = JSON.parse(readFileSync(join(bundle, MANIFEST), 'utf8')) as object;
		writeFileSync(join(incoming, MANIFEST), JSON.stringify({ ...manifest, name: this.#model, version }));
		renameSync(incoming, join(this.#folder, version));
		return version;
	}

	/** Makes a version the champion. */
	promote(version: string): void {
		writeFileSync(join(this.#folder, '.aliases'), JSON.stringify({ champion: version }));
		renameSync(join(this.#folder, '.aliases'), join(this.#folder, 'aliases.json'));
	}

	#version(): string {
		return `1.0.${this.#count}`;
	}
}
