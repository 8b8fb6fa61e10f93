/**
 * Resolves when the terminal or a supervisor asks the process to end, which the command then does by itself, and
 * well; asked once more, it ends at once.
 */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let asked = 0;
    const stop = () => (++asked === 1 ? resolve() : process.exit(130));
    // Not `once`: log-update's signal-exit ends the process itself when it finds nobody else listening.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  });
}
