import type { Attachment } from 'svelte/attachments';
import { on } from 'svelte/events';
import type { LiveQuery } from './query.svelte.ts';
import type { HoldReason } from './hold.ts';

/** Lists keep still while the pointer moves over this element, or the keyboard works in it. */
export function still(queries: () => readonly LiveQuery[]): Attachment<HTMLElement> {
  return (element) => {
    const hold = (reason: HoldReason) => () => queries().forEach((query) => query.hold(reason));
    const release = (reason: HoldReason) => queries().forEach((query) => query.release(reason));
    // Svelte's `on`: a row that is taken out loses the focus in the midst of an update.
    const ends = [
      on(element, 'pointermove', hold('pointer')),
      // What is scrolled through is being read, though the pointer rests, or is a finger that has been lifted.
      on(element, 'wheel', hold('pointer'), { passive: true }),
      on(element, 'touchmove', hold('pointer'), { passive: true }),
      on(element, 'pointerleave', ({ pointerType }) => {
        if (pointerType !== 'touch') release('pointer');
      }),
      on(element, 'focusin', hold('focus')),
      on(element, 'keydown', hold('focus')),
      on(element, 'focusout', ({ relatedTarget }) => {
        if (!element.contains(relatedTarget as Node | null)) release('focus');
      }),
    ];
    return () => ends.forEach((end) => end());
  };
}
