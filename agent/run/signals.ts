import { constants } from 'node:os';
import type { RunConsole } from './console.ts';
import type { Runner } from './runner.ts';

/** Shells say so of what a signal ended. */
const exitCodeOf = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

export interface Stopping {
  exitCode: number;
  /** Nobody reads the output any more. Not by SIGPIPE, which a command that does not read its item causes too. */
  readerLeft: () => void;
  off: () => void;
}

/**
 * Ctrl-C once lets what is under way finish, since an agent's hour of work should not go for a keystroke; twice ends it.
 * TERM (a service manager, a shutdown) and HUP (the terminal went) end it at once, and so does a reader of its output that
 * leaves. Either way claims are given back.
 */
export function stopOnSignals(runner: Runner, console: RunConsole): Stopping {
  let isRead = true;
  const state: Stopping = {
    exitCode: 0,
    readerLeft: () => {
      if (!isRead) return; // to say so breaks the next pipe
      isRead = false;
      end('SIGPIPE');
    },
    off: () => {},
  };
  let interrupts = 0;
  const end = (signal: NodeJS.Signals) => {
    state.exitCode = exitCodeOf(signal);
    console.say(`${signal}: ending what is under way, and giving it back.`, { style: 'yellow' });
    runner.stop('now');
  };
  const interrupt = () => {
    interrupts += 1;
    // The guard ends what is still running.
    if (interrupts > 2) process.exit(exitCodeOf('SIGINT'));
    if (interrupts === 2) return end('SIGINT');
    const { running } = runner;
    const text =
      running > 0
        ? `Finishing ${running} item${running > 1 ? 's' : ''}, then ending. Ctrl-C again ends now.`
        : 'Ending.';
    console.say(text, { style: 'yellow' });
    runner.stop('drain');
  };
  const heard: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ['SIGINT', interrupt],
    ['SIGTERM', end],
    ['SIGHUP', end],
  ];
  for (const [signal, hear] of heard) process.on(signal, hear);
  state.off = () => {
    for (const [signal, hear] of heard) process.off(signal, hear);
  };
  return state;
}
