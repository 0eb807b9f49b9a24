/** Finds a route by its path, segment by segment; a literal segment goes before one that is a parameter. */
import type { OipRoute } from './route.js';

/** A route and the names of its path's parameters, in order. */
export interface Endpoint {
	route: OipRoute;
	parameters: readonly string[];
}

interface Node {
	literals: Map<string, Node>;
	parameter: Node | undefined;
	endpoints: Endpoint[];
}

export interface Found {
	/** Those of one path; they differ in their methods. */
	endpoints: readonly Endpoint[];
	/** The raw segments that stand for parameters. */
	values: readonly string[];
}

const newNode = (): Node => ({ literals: new Map(), parameter: undefined, endpoints: [] });

export class RouteTree {
	readonly #root = newNode();

	constructor(routes: readonly OipRoute[]) {
		for (const route of routes) this.#add(route);
	}

	/** @param path with or without a slash at its end */
	find(path: string): Found | undefined {
		const segments = path.split('/');
		if (segments.at(-1) === '') segments.pop();
		const values: string[] = [];
		const node = search(this.#root, segments, 1, values);
		return node && { endpoints: node.endpoints, values };
	}

	#add(route: OipRoute): void {
		let node = this.#root;
		for (const segment of route.path.split('/').slice(1)) node = childOf(node, segment);
		node.endpoints.push({ route, parameters: route.path.match(/(?<=\{)\w+(?=\})/g) ?? [] });
	}
}

function childOf(node: Node, segment: string): Node {
	if (segment.startsWith('{')) {
		node.parameter ??= newNode();
		return node.parameter;
	}
	const child = node.literals.get(segment) ?? newNode();
	node.literals.set(segment, child);
	return child;
}

/** @param values gets the segments that stand for parameters on the way to the node that is found */
function search(node: Node, segments: readonly string[], at: number, values: string[]): Node | undefined {
	const segment = segments[at];
	if (segment === undefined) return node.endpoints.length === 0 ? undefined : node;
	const literal = node.literals.get(segment);
	const found = literal && search(literal, segments, at + 1, values);
	if (found || node.parameter === undefined || segment === '') return found;
	values.push(segment);
	const other = search(node.parameter, segments, at + 1, values);
	if (other === undefined) values.pop();
	return other;
}
