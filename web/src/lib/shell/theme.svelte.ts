export type Theme = 'system' | 'light' | 'dark';

const key = 'switchyard-theme';
const written = document.documentElement.dataset.theme;

/** What was chosen; static/theme.js applies it before the first paint. */
export const theme = $state<{ chosen: Theme }>({
  chosen: written === 'light' || written === 'dark' ? written : 'system',
});

export function chooseTheme(chosen: Theme): void {
  theme.chosen = chosen;
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, chosen);
  } catch {
    // It holds until the page is left.
  }
}

/** Light to dark and back, from whatever is seen now. */
export function toggleTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const seen = theme.chosen === 'system' ? system : theme.chosen;
  chooseTheme(seen === 'dark' ? 'light' : 'dark');
}
