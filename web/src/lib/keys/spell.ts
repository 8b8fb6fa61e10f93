const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);
const signs: Record<string, string> = {
  mod: apple ? '⌘' : 'Ctrl',
  shift: '⇧',
  enter: '↵',
  escape: 'Esc',
  backspace: '⌫',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  space: 'Space',
};

/** Keys as people read them: "mod+k" → ["Ctrl", "K"], "g b" → ["g", "b"]. */
export function spell(keys: string): string[] {
  return keys.split(/[ +](?=.)/).map((key) => signs[key.toLowerCase()] ?? key);
}

/** The same for `aria-keyshortcuts`-like names in running text. */
export const spellOut = (keys: string) => spell(keys).join(keys.includes('+') ? '+' : ' ');
