import { Unreadable } from './unreadable.ts';

const encoder = new TextEncoder();

/** How long a text is on the wire. */
export const byteLength = (text: string) => encoder.encode(text).length;

const lineFeed = 0x0a;

/** The text of a file. Throws `Unreadable` when it is not UTF-8: read as something else, it would be spoiled silently. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const [first, second] = bytes;
    const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
    const what = isUtf16
      ? 'This file is UTF-16'
      : `This file is not UTF-8 text: see line ${firstBadLine(bytes)}`;
    throw new Unreadable(`${what}. Save it as UTF-8, then bring it again.`);
  }
}

/** No character spans lines, so each can be looked at by itself. */
function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf(lineFeed, from);
    try {
      decoder.decode(bytes.subarray(from, end < 0 ? undefined : end));
    } catch {
      return line;
    }
    if (end < 0) return line;
    from = end + 1;
  }
}
