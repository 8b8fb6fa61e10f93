import { z } from 'zod';
import { limits } from './limits.ts';

// Control characters let a title rewrite a terminal (ESC), split a header (CR LF) or fail in PostgreSQL (NUL);
// a lone surrogate cannot be stored as UTF-8. Both are refused rather than cleaned, so that what is read is what was sent.
// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
// eslint-disable-next-line no-control-regex
const controlButLayout = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

const wellFormed = 'has a lone surrogate: send valid Unicode';

/** One line of text without control characters, `min` to `max` long after nothing is trimmed. */
export function line(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((text) => !controlCharacter.test(text), 'has a control character: send plain text on one line')
    .refine((text) => text.isWellFormed(), wellFormed)
    .refine((text) => text.trim() !== '' || text === '', 'is blank: say something');
}

/** Text of several lines: tabs and line breaks are allowed, other control characters are not. */
export function prose(max: number = limits.longTextLength) {
  return z
    .string()
    .max(max)
    .refine((text) => !controlButLayout.test(text), 'has a control character: send plain text')
    .refine((text) => text.isWellFormed(), wellFormed);
}

export const slug = z
  .string()
  .min(1)
  .max(limits.slugLength)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'is no slug: use a-z, 0-9, - and _');

const depthOf = (value: unknown, depth = 1): number => {
  if (typeof value !== 'object' || value === null || depth > limits.jsonDepth) return depth;
  return Object.values(value).reduce<number>(
    (deepest, one) => Math.max(deepest, depthOf(one, depth + 1)),
    depth,
  );
};

/** `__proto__` as a key is only ever an attack; NUL, lone surrogates and 1e999, here infinite, cannot be stored in jsonb. */
function storable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000');
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, one]) => key !== '__proto__' && storable(key) && storable(one));
}

/** A JSON object, bounded in bytes and depth. */
export const metadataSchema = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'is no JSON object',
  )
  .refine((value) => depthOf(value) <= limits.jsonDepth, `is nested deeper than ${limits.jsonDepth}`)
  .refine(
    (value) => depthOf(value) > limits.jsonDepth || storable(value),
    'has a value that cannot be stored (NUL, a lone surrogate, __proto__, a number past 1.8e308)',
  )
  .refine(
    (value) =>
      depthOf(value) > limits.jsonDepth ||
      new TextEncoder().encode(JSON.stringify(value)).length <= limits.metadataBytes,
    `is larger than ${limits.metadataBytes} bytes`,
  )
  .meta({ type: 'object', description: `A JSON object of up to ${limits.metadataBytes} bytes.` });
