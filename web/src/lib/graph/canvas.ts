import { Position, type Edge, type Node } from '@xyflow/svelte';
import type { Drawn } from './neighbourhood.svelte.ts';
import type { LayoutRequest, Places } from './layout.ts';
import LayoutWorker from './layout.worker.ts?worker';
import { cardHeight, cardWidth } from './size.ts';

export interface CardData extends Record<string, unknown> {
  onopen: (id: string) => void;
  oncentre: (id: string) => void;
}
export type CardNode = Node<CardData, 'card'>;

/** Where the cards of a graph stand, found out beside the page. `abandoned` ends it. */
export function placesOf(request: LayoutRequest, abandoned: AbortSignal): Promise<Places> {
  return new Promise((resolve, reject) => {
    const worker = new LayoutWorker();
    const end = () => worker.terminate();
    abandoned.addEventListener('abort', end, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Places>) => {
      end();
      resolve(data);
    };
    worker.onerror = (event) => {
      end();
      reject(new Error(event.message || 'The graph could not be laid out.'));
    };
    worker.postMessage(request);
  });
}

/** Sizes and ends of links are given, so that nothing is measured before the first picture. */
export function nodesOf({ ids }: Drawn, places: Places, rem: number, data: CardData): CardNode[] {
  const [width, height] = [cardWidth * rem, cardHeight * rem];
  const end = { y: height / 2, width: 1, height: 1 };
  return ids.map((id, at) => ({
    id,
    type: 'card',
    position: places[at]!,
    width,
    height,
    style: '',
    // Above every link.
    zIndex: 3,
    handles: [
      { ...end, type: 'target', position: Position.Left, x: 0 },
      { ...end, type: 'source', position: Position.Right, x: width },
    ],
    data,
    // A card is a link, and says what it is.
    domAttributes: { 'aria-roledescription': undefined },
  }));
}

export function edgesOf({ links }: Drawn, looks: ReadonlyMap<string, string>): Edge[] {
  return links.map(({ id, from, to }) => {
    const look = looks.get(id) ?? '';
    const zIndex = look.includes('critical') ? 2 : look.includes('holds') ? 1 : 0;
    // In words they are in the list.
    return { id, source: from, target: to, class: look, zIndex, domAttributes: { 'aria-hidden': true } };
  });
}

/**
 * How far to move what lies between `low` and `high` of a graph, at this zoom, so that `at` comes to the middle of a
 * view of this size; no further than its edge, so that no room is given to emptiness.
 */
export function shiftTo(
  at: number,
  low: number,
  high: number,
  zoom: number,
  size: number,
  margin: number,
): number {
  if ((high - low) * zoom <= size - 2 * margin) return size / 2 - ((low + high) / 2) * zoom;
  const middle = size / 2 - at * zoom;
  return Math.min(margin - low * zoom, Math.max(size - margin - high * zoom, middle));
}

/** The card to which a key leads: along a link to the side, or up and down among those of about the same step. */
export function cardBeside(
  nodes: readonly CardNode[],
  links: Drawn['links'],
  from: string,
  way: 'left' | 'right' | 'up' | 'down',
): string | undefined {
  const places = new Map(nodes.map(({ id, position }) => [id, position]));
  const here = places.get(from);
  if (!here) return undefined;
  const nearest = (ids: string[]) => {
    const off = (id: string) => Math.hypot(places.get(id)!.x - here.x, places.get(id)!.y - here.y);
    return ids.filter((id) => places.has(id)).sort((a, b) => off(a) - off(b))[0];
  };
  if (way === 'left') return nearest(links.filter((link) => link.to === from).map((link) => link.from));
  if (way === 'right') return nearest(links.filter((link) => link.from === from).map((link) => link.to));
  const sign = way === 'down' ? 1 : -1;
  const within = (nodes[0]?.width ?? 0) / 2;
  const column = nodes.filter(
    ({ position }) => Math.abs(position.x - here.x) < within && sign * (position.y - here.y) > 1,
  );
  return nearest(column.map(({ id }) => id));
}
