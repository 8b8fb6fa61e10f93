import type { Attachment } from 'svelte/attachments';

/** A screen's height: what is called for is there when one comes to it. */
const scrollMargin = '800px';

/** Calls back once when the element comes into sight, or close to it. */
export function whenSeen(then: () => void): Attachment<HTMLElement> {
  return (element) => {
    const seen: IntersectionObserverCallback = (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      then();
    };
    const observer = new IntersectionObserver(seen, { scrollMargin });
    observer.observe(element);
    return () => observer.disconnect();
  };
}
