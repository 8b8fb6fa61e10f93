import type { IncomingHttpHeaders } from 'node:http';

export interface OriginRules {
  /** Where the hub listens. */
  host: string;
  port: () => number;
  /** Besides the hub's own; exact, as browsers write them: `https://board.example`. */
  allowedOrigins: readonly string[];
}

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request may come in, by what a browser cannot forge. CORS does not stop a foreign page's WebSocket, and a
 * name that was rebound to 127.0.0.1 still shows in Host: both are compared with lists, exactly.
 */
export function originIsAllowed(headers: IncomingHttpHeaders, rules: OriginRules): boolean {
  const { origin, host } = headers;
  const fromBrowser = origin !== undefined || headers['sec-fetch-site'] !== undefined;
  const onLoopback = rules.host === '::1' || rules.host === 'localhost' || rules.host.startsWith('127.');
  if ((onLoopback || fromBrowser) && !allowedHosts(rules).includes((host ?? '').toLowerCase())) return false;
  return origin === undefined || allowedOrigins(rules).includes(origin.toLowerCase());
}

function ownHosts({ host, port }: OriginRules): string[] {
  const names = [...loopback, host.includes(':') ? `[${host}]` : host];
  return names.flatMap((name) => (port() === 80 ? [name, `${name}:80`] : [`${name}:${port()}`]));
}

function allowedOrigins(rules: OriginRules): string[] {
  return [
    ...ownHosts(rules).map((host) => `http://${host}`),
    ...rules.allowedOrigins.map((origin) => origin.toLowerCase()),
  ];
}

function allowedHosts(rules: OriginRules): string[] {
  return [
    ...ownHosts(rules),
    ...rules.allowedOrigins.map((origin) => origin.toLowerCase().replace(/^https?:\/\//, '')),
  ];
}
