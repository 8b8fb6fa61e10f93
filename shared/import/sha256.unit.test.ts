import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

const nodes = (text: string) => createHash('sha256').update(text).digest('hex');

test('it is the SHA-256 that everybody else computes', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'é'.repeat(length % 3) + 'x'.repeat(length);
    expect(sha256(text)).toBe(nodes(text));
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => sha256(text) === nodes(text)));
});
