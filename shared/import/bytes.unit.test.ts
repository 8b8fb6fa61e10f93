import { expect, test } from 'vitest';
import { decodeText } from './bytes.ts';

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

test('UTF-8 is read as it is, without its mark', () => {
  expect(decodeText(new TextEncoder().encode('\ufeff- [ ] Grüße 😀\n'))).toBe('- [ ] Grüße 😀\n');
  expect(decodeText(new Uint8Array())).toBe('');
});

test('what is not is refused, with the line and what to do', () => {
  expect(() => decodeText(latin1('# Plan\n\n- [ ] Größe\n'))).toThrow(
    'This file is not UTF-8 text: see line 3. Save it as UTF-8, then bring it again.',
  );
  expect(() => decodeText(Uint8Array.from(Buffer.from('\ufeff- [ ] a', 'utf16le')))).toThrow(
    'This file is UTF-16. Save it as UTF-8',
  );
});
