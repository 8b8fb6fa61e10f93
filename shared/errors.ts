import { z } from 'zod';

/** Every refusal the hub knows, with the HTTP status it travels under. */
export const httpStatusOf = {
  VALIDATION: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ALREADY_CLAIMED: 409,
  NOT_READY: 409,
  INVALID_TRANSITION: 409,
  CLAIM_LOST: 409,
  FILE_CONFLICT: 409,
  DEPENDENCY_CYCLE: 409,
  VERSION_MISMATCH: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof httpStatusOf;

export const errorSchema = z.object({
  code: z.enum(Object.keys(httpStatusOf) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});

/** The error as it stands on the wire: `message` says what to do next, `details` depend on `code`. */
export type WireError = z.infer<typeof errorSchema>;

/** A refusal on its way to a caller. Anything else that is thrown is a fault of ours and becomes INTERNAL. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  toJSON(): WireError {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** Zod's issues as `{path, message}`; of a union, the alternative that came closest to fitting. */
export function refusalOfIssues(error: z.ZodError): Refusal {
  const issues = closest(error.issues).map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }));
  const first = issues[0];
  const where = first?.path ? `${first.path}: ` : '';
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more, see details.issues)` : '';
  return new Refusal('VALIDATION', `The input does not fit. ${where}${first?.message ?? ''}${more}`, {
    issues,
  });
}

type Issue = z.core.$ZodIssue;

function closest(
  issues: readonly Issue[],
  above: PropertyKey[] = [],
): { path: PropertyKey[]; message: string }[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0)
      return [{ path, message: issue.message }];
    const alternatives = issue.errors.map((alternative) => ({
      found: closest(alternative, path),
      // `?limit=-1` is text, of a form that is wrong; that it is no number is no news.
      otherType: alternative.some((one) => one.code === 'invalid_type' && one.path.length === 0) ? 1 : 0,
      faults: alternative.reduce(
        (sum, one) => sum + (one.code === 'unrecognized_keys' ? one.keys.length : 1),
        0,
      ),
    }));
    const depth = ({ found }: (typeof alternatives)[number]) =>
      Math.max(...found.map((one) => one.path.length));
    alternatives.sort((a, b) => depth(b) - depth(a) || a.otherType - b.otherType || a.faults - b.faults);
    return alternatives[0]?.found ?? [{ path, message: issue.message }];
  });
}
