export interface Toast {
  id: number;
  tone: 'done' | 'failed' | 'warn';
  /** What happened. */
  text: string;
  /** What to do about it. */
  hint?: string;
  action?: { label: string; run: () => void };
}

const keptMs = { done: 4_000, warn: 8_000, failed: 12_000 };
const shownMax = 4;
let last = 0;

/** What the Toaster shows; replaced, never changed. */
export const toasts = $state<{ list: readonly Toast[] }>({ list: [] });

/** Says something in passing. It goes by itself; nothing that must be seen may stand only here. */
export function toast(toast: Omit<Toast, 'id'>): void {
  const id = ++last;
  toasts.list = [...toasts.list, { ...toast, id }].slice(-shownMax);
  setTimeout(() => dismiss(id), keptMs[toast.tone]);
}

export function dismiss(id: number): void {
  toasts.list = toasts.list.filter((one) => one.id !== id);
}
