/** Puts something of the top layer below (or above) what it belongs to, within the window. */
export function placeAt(floating: HTMLElement, anchor: Element, align: 'start' | 'center' | 'end'): void {
  const gap = 4;
  const margin = 6;
  const at = anchor.getBoundingClientRect();
  const { width, height } = floating.getBoundingClientRect();
  const lefts = { start: at.left, center: at.left + at.width / 2 - width / 2, end: at.right - width };
  const left = Math.max(margin, Math.min(lefts[align], innerWidth - width - margin));
  const below = at.bottom + gap;
  const top = below + height + margin > innerHeight ? Math.max(margin, at.top - height - gap) : below;
  floating.style.left = `${left}px`;
  floating.style.top = `${top}px`;
}
