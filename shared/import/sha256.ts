import { byteLength } from './bytes.ts';

// A browser's own is asynchronous, and missing where the hub is reached over plain HTTP.

const primes = Array.from({ length: 312 }, (_, n) => n).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, divisor) => divisor).some((d) => d > 1 && n % d === 0),
);
const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const rounds = primes.slice(0, 64).map((prime) => fraction(Math.cbrt(prime)));
const start = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

/** The SHA-256 of a text's UTF-8, in hex (FIPS 180-4). */
export function sha256(text: string): string {
  const length = byteLength(text);
  const bytes = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
  new TextEncoder().encodeInto(text, bytes);
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(bytes.length - 8, BigInt(length) * 8n);

  const state = Int32Array.from(start);
  const words = new Int32Array(64);
  for (let block = 0; block < bytes.length; block += 64) {
    for (let n = 0; n < 16; n++) words[n] = view.getInt32(block + n * 4);
    compress(state, words);
  }
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

const turn = (word: number, by: number) => (word >>> by) | (word << (32 - by));

function compress(state: Int32Array, words: Int32Array): void {
  for (let n = 16; n < 64; n++) {
    const [low, high] = [words[n - 15]!, words[n - 2]!];
    const mixed = turn(low, 7) ^ turn(low, 18) ^ (low >>> 3);
    const remixed = turn(high, 17) ^ turn(high, 19) ^ (high >>> 10);
    words[n] = words[n - 16]! + mixed + words[n - 7]! + remixed;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let n = 0; n < 64; n++) {
    const first =
      (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + rounds[n]! + words[n]!) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => (state[n] = state[n]! + word));
}
