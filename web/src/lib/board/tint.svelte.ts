import type { Attachment } from 'svelte/attachments';

const durationMs = 900;

/** One short tint whenever the version rises; none where motion is not wanted, or when there is too much of it. */
export function tint(version: () => number, wanted: () => boolean): Attachment<HTMLElement> {
  return (element) => {
    let seen: number | undefined;
    $effect(() => {
      const now = version();
      const changed = seen !== undefined && now > seen;
      seen = now;
      if (!changed || !wanted() || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
      const colour = getComputedStyle(element).getPropertyValue('--tone');
      element.animate(
        [
          { boxShadow: `inset 0 0 0 100vmax color-mix(in srgb, ${colour} 22%, transparent)` },
          { boxShadow: 'none' },
        ],
        { duration: durationMs, easing: 'ease-out' },
      );
    });
  };
}
