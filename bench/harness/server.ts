/** A process under measurement. */
export interface Server {
	readonly name: string;
	readonly pid: number;
	/** CPU seconds of the process and its children so far. */
	cpuSeconds(): number;
	/** Resident bytes of the process and its children. */
	residentBytes(): number;
	/** From the start of the process until it was ready. */
	readonly startMs: number;
	stop(): Promise<void>;
}
