/** Edges of a graph by key: from → to, to … */
export type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * Groups of nodes that reach one another (Tarjan's strongly connected components), a group after all groups it
 * leads to: along dependencies, what is needed first comes first. Iterative, for chains longer than the stack.
 */
export function groupsOf(nodes: Iterable<string>, edges: Edges): string[][] {
  const groups: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();

  const enter = (node: string) => {
    const order = index.size;
    index.set(node, order);
    low.set(node, order);
    open.push(node);
    isOpen.add(node);
    return { node, next: 0 };
  };
  const lower = (node: string, to: number) => low.set(node, Math.min(low.get(node)!, to));
  const leave = (node: string) => {
    if (low.get(node) !== index.get(node)) return;
    const group = open.splice(open.lastIndexOf(node));
    for (const member of group) isOpen.delete(member);
    groups.push(group);
  };

  for (const root of nodes) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    for (let step = path.at(-1); step; step = path.at(-1)) {
      const target = edges.get(step.node)?.[step.next++];
      if (target === undefined) {
        path.pop();
        leave(step.node);
        const above = path.at(-1);
        if (above) lower(above.node, low.get(step.node)!);
      } else if (!index.has(target)) {
        path.push(enter(target));
      } else if (isOpen.has(target)) {
        lower(step.node, index.get(target)!);
      }
    }
  }
  return groups;
}

/** The way from one node to another along the edges, both included; null when there is none. */
export function pathBetween(from: string, to: string, edges: Edges): string[] | null {
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const queue = [from];
  for (const node of queue) {
    if (node === to) break;
    for (const next of edges.get(node) ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  if (!cameFrom.has(to)) return null;
  const path: string[] = [];
  for (let node: string | null = to; node !== null; node = cameFrom.get(node) ?? null) path.unshift(node);
  return path;
}
