import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';

/** The first error in a value. */
export interface ValidationIssue {
  /** JSON pointer (RFC 6901) of the wrong or missing part. */
  readonly pointer: string;
  /** The expected value: the schema's `description` if it has one. Never the value itself. */
  readonly expected: string;
  /** The schema has no such part. */
  readonly unknown: boolean;
}

/** @returns a function that validates values against the schema; it returns undefined for a valid value. */
export function compileValidator(schema: TSchema): (value: unknown) => ValidationIssue | undefined {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return undefined;
    const [, [first]] = compiled.Errors(value);
    if (!first) return { pointer: '', expected: 'another shape', unknown: false };
    let pointer = first.instancePath;
    if (first.keyword === 'required') pointer += `/${escapeToken(first.params.requiredProperties[0] ?? '')}`;
    const unknown = first.keyword === 'boolean';
    return { pointer, expected: describe(schema, pointer) ?? first.message, unknown };
  };
}

export const escapeToken = (token: string) => token.replaceAll('~', '~0').replaceAll('/', '~1');
const unescapeToken = (token: string) => token.replaceAll('~1', '/').replaceAll('~0', '~');

/** The description of the innermost described schema on the way to `pointer`. */
function describe(schema: TSchema, pointer: string): string | undefined {
  let here: unknown = schema;
  let found = text(here);
  for (const token of pointer.split('/').slice(1).map(unescapeToken)) {
    here = step(here, token);
    found = text(here) ?? found;
  }
  return found;
}

/** The schema of one member or item of a value with this schema. */
function step(schema: unknown, token: string): unknown {
  const properties = member(schema, 'properties');
  if (properties !== undefined) return member(properties, token);
  const items = member(schema, 'items');
  if (Array.isArray(items)) return items[Number(token)];
  const patterns = member(schema, 'patternProperties');
  return (
    items ?? (typeof patterns === 'object' && patterns !== null ? Object.values(patterns)[0] : undefined)
  );
}

function text(schema: unknown): string | undefined {
  const description = member(schema, 'description');
  return typeof description === 'string' ? description : undefined;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
