import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commands } from './commands.ts';
import { errorSchema, httpStatusOf, Refusal, refusalOfIssues } from './errors.ts';

const refusalOf = (schema: z.ZodType, value: unknown) => refusalOfIssues(schema.safeParse(value).error!);
const id = '01890000-0000-7000-8000-000000000000';

describe('refusalOfIssues', () => {
  test('[VA1] names each field that does not fit, and the first in the message', () => {
    const schema = z.strictObject({ a: z.string(), b: z.array(z.int()) });
    const refusal = refusalOf(schema, { a: 1, b: [1, 'x'] });
    expect(refusal.code).toBe('VALIDATION');
    expect(refusal.details.issues).toMatchObject([{ path: 'a' }, { path: 'b.1' }]);
    expect(refusal.message).toMatch(/ a: .*\(and 1 more/);
  });

  test.each([
    [{ project: 'p', title: '' }, 'title'],
    [{ project: 'p', title: 'x', priority: 'high' }, 'priority'],
    [{ project: 'p', items: [{ title: 'x' }, { title: 7 }] }, 'items.1.title'],
    [{ project: 'p', items: [{ title: 'x', dependencies: [7] }] }, 'items.0.dependencies.0'],
    [{ project: 'p', items: 'x' }, 'items'],
    [{ project: 'p' }, 'title'],
    [{ project: 'p', title: 'x', dependencies: null, files_planned: null, metadata: null }, 'metadata'],
  ])('[VA1] of the forms of item.create, the one that comes closest is told: %j', (input, path) => {
    const { issues } = refusalOf(commands['item.create'].input, input).details as {
      issues: { path: string }[];
    };
    expect(issues.map((issue) => issue.path)).toContain(path);
  });

  test('[VA4] an unknown field is named', () => {
    const { details } = refusalOf(commands['item.cancel'].input, { id, force: true });
    expect(JSON.stringify(details)).toContain('force');
  });
});

test('a refusal on the wire has code, message and details, and a status of its own', () => {
  for (const code of Object.keys(httpStatusOf) as (keyof typeof httpStatusOf)[]) {
    const wire = new Refusal(code, 'Do this.', { a: 1 }).toJSON();
    expect(errorSchema.strict().parse(wire)).toEqual({ code, message: 'Do this.', details: { a: 1 } });
    expect(httpStatusOf[code]).toBeGreaterThanOrEqual(400);
  }
});
