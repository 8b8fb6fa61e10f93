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
    open();
    tell('entered');
  } catch (error) {
    session.problem = error instanceof Error ? error.message : String(error);
  }
}

export async function leave(): Promise<void> {
  await signOut();
  close();
  tell('left');
}

/**
 * Whoever signs out, or in, in one tab does so in all: they share a cookie. `entered` is called when it may be as
 * somebody else. Returns how to end that.
 */
export function goWithOtherTabs(entered: () => void): () => void {
  const others = otherTabs();
  others.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data === 'left') return close();
    open();
    entered();
  };
  return () => others.close();
}

type Told = 'left' | 'entered';

const otherTabs = () => new BroadcastChannel('switchyard-session');

function tell(what: Told): void {
  const others = otherTabs();
  others.postMessage(what);
  others.close();
}

function open(): void {
  session.open = true;
  session.problem = '';
}

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
