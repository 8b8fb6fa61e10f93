import { z } from 'zod';
import { commands, type CommandName, type CommandSpec } from '@switchyard/shared/commands';
import { errorSchema, httpStatusOf } from '@switchyard/shared/errors';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the command table: made from the same schemas that check every call. */
export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(commands) as [CommandName, CommandSpec][]) {
    const path = spec.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operation(name, spec) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchyard',
      version: '1',
      description:
        'Coordinates many agents on one project. Every command is served over Socket.IO too, under its operationId.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token, swy_…' } },
      schemas: { Error: schemaOf(errorSchema, 'output') },
    },
  };
}

function operation(name: CommandName, spec: CommandSpec): Json {
  const inPath = [...spec.path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  const input = schemaOf(spec.input, 'input');
  const inQuery =
    spec.method === 'GET' ? propertyNames(input).filter((field) => !inPath.includes(field)) : [];
  const parameters = [
    ...inPath.map((field) => ({ name: field, in: 'path', required: true, schema: propertyOf(input, field) })),
    ...inQuery.map((field) => ({
      name: field,
      in: 'query',
      required: false,
      schema: propertyOf(input, field),
    })),
    ...(propertyNames(input).includes('request_id') ? [idempotencyKey] : []),
  ];
  return {
    operationId: name,
    summary: spec.summary,
    description: `Least role: ${spec.role}.`,
    tags: [name.split('.')[0]!],
    parameters,
    ...(spec.method === 'GET' ? {} : { requestBody: requestBody(bodyOf(name, input, inPath)) }),
    responses: {
      [spec.success ?? 200]: {
        description: 'Done',
        content: { 'application/json': { schema: schemaOf(spec.output, 'output') } },
      },
      default: {
        description: `Refused: ${[...new Set(Object.values(httpStatusOf))].join(', ')}`,
        content: { 'application/json': { schema: wrappedError } },
      },
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same caller and key get the same answer, whatever happened to the connection in between.',
  schema: { type: 'string' },
};

const wrappedError = {
  type: 'object',
  properties: { error: { $ref: '#/components/schemas/Error' } },
  required: ['error'],
};

/** Without what stands in the path; an array of items may be sent as it is. */
function bodyOf(name: CommandName, input: Json, inPath: string[]): Json {
  const variants = alternatives(input).map((one) => {
    const properties = Object.fromEntries(
      Object.entries((one.properties ?? {}) as Json).filter(([field]) => !inPath.includes(field)),
    );
    const required = ((one.required ?? []) as string[]).filter((field) => !inPath.includes(field));
    return { ...one, properties, required };
  });
  if (variants.length === 1) return variants[0]!;
  const items =
    name === 'item.create' ? variants.flatMap((one) => (one.properties.items as Json | undefined) ?? []) : [];
  return { anyOf: [...variants, ...items] };
}

/** Without one it is as if `{}` had been sent. */
function requestBody(schema: Json): Json {
  const required = alternatives(schema).every(
    (one) => one.type === 'array' || (one.required as string[]).length > 0,
  );
  return { required, content: { 'application/json': { schema } } };
}

function alternatives(schema: Json): Json[] {
  return (schema.anyOf as Json[] | undefined) ?? [schema];
}

function propertyNames(schema: Json): string[] {
  return [...new Set(alternatives(schema).flatMap((one) => Object.keys((one.properties ?? {}) as Json)))];
}

function propertyOf(schema: Json, field: string): unknown {
  return alternatives(schema)
    .map((one) => ((one.properties ?? {}) as Json)[field])
    .find((one) => one !== undefined);
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  return withoutDefs(json);
}

/** Schemas with an id come as $defs of each document; a reader of OpenAPI wants them in place. */
function withoutDefs(json: Json): Json {
  const defs = (json.$defs ?? {}) as Record<string, Json>;
  const place = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(place);
    if (typeof value !== 'object' || value === null) return value;
    const ref = (value as Json).$ref;
    const def = typeof ref === 'string' ? defs[ref.replace('#/$defs/', '')] : undefined;
    if (def) return place(def);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== '$defs')
        .map(([key, one]) => [key, place(one)]),
    );
  };
  return place(json) as Json;
}
