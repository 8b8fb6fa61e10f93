// Where the cards stand: from left to right, what comes first before what waits for it.
import dagre from '@dagrejs/dagre';
import { cardHeight, cardWidth } from './size.ts';

export interface LayoutRequest {
  ids: readonly string[];
  links: readonly { from: string; to: string }[];
  /** Pixels of one rem. */
  rem: number;
}

/** The upper left corner of each card in pixels, in the order of the ids. */
export type Places = { x: number; y: number }[];

export function layOut({ ids, links, rem }: LayoutRequest): Places {
  const [width, height] = [cardWidth * rem, cardHeight * rem];
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: rem, ranksep: 4 * rem });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width, height });
  for (const { from, to } of links) graph.setEdge(from, to);
  dagre.layout(graph);
  return ids.map((id) => {
    const { x, y } = graph.node(id) as { x: number; y: number };
    return { x: x - width / 2, y: y - height / 2 };
  });
}
