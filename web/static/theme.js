// Before the first paint, so that a page in the dark does not flash.
try {
  const theme = localStorage.getItem('switchyard-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing follows the system.
}
