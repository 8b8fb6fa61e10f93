import { isEnabled, offered } from './registry.svelte.ts';

/** How long the first key of two waits for the second. */
const sequenceMs = 1_000;

let begun = '';
let timer: ReturnType<typeof setTimeout> | undefined;

/** Runs what the key stands for. For `keydown` of the window; what a component has handled is left alone. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const chord = chordOf(event);
  if (isTyping(event) && !chord.startsWith('mod+') && chord !== 'escape') return;
  // A dialog or a menu is open: it has the keyboard to itself.
  if (document.querySelector('dialog[open], [role=menu]:popover-open')) return;
  const keys = begun ? `${begun} ${chord}` : chord;
  const actions = offered().filter(isEnabled);
  const found = actions.findLast((action) => action.keys.includes(keys));
  forget();
  if (found) {
    event.preventDefault();
    found.run();
  } else if (actions.some((action) => action.keys.some((key) => key.startsWith(`${chord} `)))) {
    begun = chord;
    timer = setTimeout(forget, sequenceMs);
  }
}

function forget(): void {
  begun = '';
  clearTimeout(timer);
}

function chordOf({ key, ctrlKey, metaKey, shiftKey }: KeyboardEvent): string {
  // With a sign such as "?" the shift is in the sign.
  const name = key === ' ' ? 'space' : key.length === 1 && !/[a-z]/i.test(key) ? key : key.toLowerCase();
  const shift = shiftKey && (key.length > 1 || /[a-z]/i.test(key)) ? 'shift+' : '';
  return (ctrlKey || metaKey ? 'mod+' : '') + shift + name;
}

function isTyping({ target, key }: KeyboardEvent): boolean {
  const element = target as HTMLElement | null;
  if (!element) return false;
  // Into a box to be ticked one types nothing.
  if (element.isContentEditable || element.matches('input:not([type=checkbox]), textarea, select'))
    return true;
  // Enter and space press what has the focus.
  return (key === 'Enter' || key === ' ') && element.matches('button, a, summary, input, [role=menu] *');
}
