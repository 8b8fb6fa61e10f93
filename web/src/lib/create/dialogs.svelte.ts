// Which form is open. The forms themselves are loaded when one is first asked for.
import type { Item } from '@switchyard/shared/item';
import type { Component } from 'svelte';
import { toast } from '#lib/ui/toasts.svelte.ts';

interface Shown {
  component: Component<never>;
  props: Record<string, unknown>;
}

class Dialogs {
  shown = $state.raw<Shown>();
}
export const dialogs = new Dialogs();

export const closeDialog = () => (dialogs.shown = undefined);

/** A form for one item, or for many from a checklist. */
export const openCreate = (start: 'one' | 'many' = 'one') =>
  open(() => import('./CreateDialog.svelte'), { start });

/** A backlog from elsewhere: a file, or what was pasted. */
export const openImport = (pasted = '') => open(() => import('../import/ImportDialog.svelte'), { pasted });

export const openEdit = (item: Item) => open(() => import('./EditDialog.svelte'), { item });

async function open(
  load: () => Promise<{ default: unknown }>,
  props: Record<string, unknown>,
): Promise<void> {
  if (dialogs.shown) return;
  try {
    const { default: component } = await load();
    dialogs.shown = { component: component as Component<never>, props };
  } catch {
    toast({ tone: 'warn', text: 'The form could not be loaded.', hint: 'Try again once the board is live.' });
  }
}
