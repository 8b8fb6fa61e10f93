import { HubError, signIn, signOut, type Caller } from '#lib/api.ts';

/** Whether this browser is let in, as far as the hub has said so, as whom, and why not. */
export const session = $state<{ open: boolean; problem: string; caller: Caller | null }>({
  open: true,
  problem: '',
  caller: null,
});

/** Whether to offer what only an operator may do; the hub refuses it to others in any case. */
export const maySteer = () => session.caller?.role === 'operator';

const tokenInAddress = /^#token=([^&]+)$/;

export async function enter(token: string): Promise<void> {
  try {
    await signIn(token);
    session.open = true;
    session.problem = '';
  } catch (error) {
    session.problem = error instanceof Error ? error.message : String(error);
  }
}

export async function leave(): Promise<void> {
  await signOut();
  close();
  const others = otherTabs();
  others.postMessage('left');
  others.close();
}

/** Whoever signs out in one tab is signed out in all: they share a cookie. Returns how to end that. */
export function leaveWithOtherTabs(): () => void {
  const others = otherTabs();
  others.onmessage = close;
  return () => others.close();
}

const otherTabs = () => new BroadcastChannel('switchyard-session');

function close(): void {
  session.open = false;
  session.caller = null;
}

export function hasTokenInAddress(): boolean {
  return tokenInAddress.test(location.hash);
}

/** The hub prints an address with `#token=…`: a fragment never travels to a server or into its log. */
export async function enterByAddress(): Promise<void> {
  const token = tokenInAddress.exec(location.hash)?.[1];
  if (!token) return;
  await enter(decodeURIComponent(token));
  history.replaceState(history.state, '', location.pathname + location.search);
}

export function closeIfUnauthenticated(error: unknown): boolean {
  const refused = error instanceof HubError && error.code === 'UNAUTHENTICATED';
  if (refused) session.open = false;
  return refused;
}
