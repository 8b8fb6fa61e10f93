// What a foreign file holds is not to be trusted: each field is read for what it should be, or as nothing.

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, or '' when it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An id, which files write as a text or as a number; '' when it is neither. */
export function idOf(value: unknown): string {
  return typeof value === 'number' ? String(value) : textOf(value).trim();
}

/** A value as a warning names it. */
export function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 59).toWellFormed()}…` : json;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
