import { tick } from 'svelte';
import type { VListHandle } from 'virtua/svelte';

const framesMax = 20;

/** Brings a row of a virtual list into view and the focus to it: to its link, or to itself if it is a button. */
export async function focusRow(
  list: VListHandle | undefined,
  within: HTMLElement | undefined,
  index: number,
  key: string | undefined,
): Promise<void> {
  list?.scrollToIndex(index, { align: 'nearest' });
  await tick();
  if (key === undefined) return;
  // At once, for a quick Enter is meant for it. A row that was far away takes some frames: it is hidden, and takes no
  // focus, until it has been measured.
  for (let frame = 0; frame < framesMax; frame++) {
    if (frame > 0) await new Promise(requestAnimationFrame);
    const row = within?.querySelector<HTMLElement>(`[data-item="${CSS.escape(key)}"]`);
    const target = row?.matches('button') ? row : row?.querySelector('a');
    target?.focus();
    if (target && document.activeElement === target) return;
  }
}
